-- A database of version 1, as Telltale 0.1.0 has written it (the dump of sqlite3). It is never changed: every later
-- version must open it.
--
-- On 2026-11-24, curl (uid 1000) sends 1,500,000 bytes to shop.example, of which 700,000 before and 800,000 after
-- 07:00 UTC, and receives 5,000. Its relay was killed, so the flow has no end. Before, it sent a question of 30 bytes to
-- the system's resolver, which answered with 62. In a second run ping sent one echo of 56 bytes, and a program that
-- nobody could name was refused by 192.0.2.9.
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA application_id = 1415933036;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    started INTEGER NOT NULL,
    command TEXT NOT NULL,
    version TEXT NOT NULL
) STRICT;
INSERT INTO run VALUES(1,1795500000000000,'curl -T film.mkv https://shop.example/','0.1.0');
INSERT INTO run VALUES(2,1795503600000000,'sh -c ''ping -c 1 2001:db8::9; nc 192.0.2.9 80''','0.1.0');
CREATE TABLE flow (
    run INTEGER NOT NULL REFERENCES run (id),
    number INTEGER NOT NULL,
    protocol TEXT NOT NULL,
    app_address TEXT NOT NULL,
    app_port INTEGER NOT NULL,
    remote_address TEXT NOT NULL,
    remote_port INTEGER NOT NULL,
    uid INTEGER,
    pid INTEGER,
    program TEXT,
    name TEXT,
    started INTEGER NOT NULL,
    ended INTEGER,
    ending TEXT,
    bytes_sent INTEGER NOT NULL,
    bytes_received INTEGER NOT NULL,
    packets_sent INTEGER NOT NULL,
    packets_received INTEGER NOT NULL,
    hour INTEGER NOT NULL,
    earlier_bytes_sent INTEGER NOT NULL,
    earlier_bytes_received INTEGER NOT NULL,
    earlier_packets_sent INTEGER NOT NULL,
    earlier_packets_received INTEGER NOT NULL,
    PRIMARY KEY (run, number)
) STRICT, WITHOUT ROWID;
INSERT INTO flow VALUES(1,1,'udp','198.19.84.1',40001,'198.19.84.53',53,1000,4242,'/usr/bin/curl','system resolver',1795502999980000,1795502999995000,'finished',30,62,1,1,1795500000,0,0,0,0);
INSERT INTO flow VALUES(1,2,'tcp','198.19.84.1',40002,'192.0.2.7',443,1000,4242,'/usr/bin/curl','shop.example',1795503000000000,NULL,NULL,1500000,5000,130,90,1795503600,700000,3000,60,40);
INSERT INTO flow VALUES(2,1,'icmp','2001:db8:7e11:7a1e::1',7,'2001:db8::9',0,NULL,NULL,'/usr/bin/ping',NULL,1795503600000000,1795503600400000,'idle',56,56,1,1,1795503600,0,0,0,0);
INSERT INTO flow VALUES(2,2,'tcp','198.19.84.1',40003,'192.0.2.9',80,NULL,NULL,NULL,NULL,1795503600500000,1795503600600000,'refused',0,0,1,0,1795503600,0,0,0,0);
CREATE TABLE hourly (
    hour INTEGER NOT NULL,
    program TEXT NOT NULL,
    uid INTEGER NOT NULL,
    protocol TEXT NOT NULL,
    address TEXT NOT NULL,
    port INTEGER NOT NULL,
    name TEXT NOT NULL,
    bytes_sent INTEGER NOT NULL,
    bytes_received INTEGER NOT NULL,
    packets_sent INTEGER NOT NULL,
    packets_received INTEGER NOT NULL,
    flows INTEGER NOT NULL,
    PRIMARY KEY (hour, program, uid, protocol, address, port, name)
) STRICT, WITHOUT ROWID;
INSERT INTO hourly VALUES(1795500000,'/usr/bin/curl',1000,'tcp','192.0.2.7',443,'shop.example',700000,3000,60,40,1);
INSERT INTO hourly VALUES(1795500000,'/usr/bin/curl',1000,'udp','198.19.84.53',53,'system resolver',30,62,1,1,1);
INSERT INTO hourly VALUES(1795503600,'',-1,'tcp','192.0.2.9',80,'',0,0,1,0,1);
INSERT INTO hourly VALUES(1795503600,'/usr/bin/curl',1000,'tcp','192.0.2.7',443,'shop.example',800000,2000,70,50,0);
INSERT INTO hourly VALUES(1795503600,'/usr/bin/ping',-1,'icmp','2001:db8::9',0,'',56,56,1,1,1);
CREATE INDEX flow_started ON flow (started);
COMMIT;
