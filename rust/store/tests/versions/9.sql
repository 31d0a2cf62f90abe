-- A database of version 9: 8.sql, brought there by the step of rust/store/src/schema.rs (the dump of sqlite3). It is
-- never changed: every later version must open it.
--
-- The flows are those of 8.sql.
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA application_id = 1415933036;
PRAGMA user_version = 9;
BEGIN TRANSACTION;
CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    started INTEGER NOT NULL,
    command TEXT NOT NULL,
    version TEXT NOT NULL
) STRICT;
INSERT INTO run VALUES(1,1795500000000000,'curl -T film.mkv https://shop.example/','0.1.0');
INSERT INTO run VALUES(2,1795503600000000,'sh -c ''ping -c 1 2001:db8::9; nc 192.0.2.9 80''','0.1.0');
CREATE TABLE app (
    id INTEGER PRIMARY KEY,
    program TEXT NOT NULL,
    uid INTEGER NOT NULL,
    signer TEXT NOT NULL,
    packages TEXT NOT NULL,
    names TEXT NOT NULL,
    version TEXT,
    since INTEGER,
    kind TEXT NOT NULL,
    shared INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    UNIQUE (program, uid, signer)
) STRICT;
INSERT INTO app VALUES(1,'org.example.shop',10123,'ab01','org.example.shop','Shop','2.0',1795400000000,'yours',0,1795500000000000);
CREATE TABLE finding (
    run INTEGER NOT NULL,
    number INTEGER NOT NULL,
    place INTEGER NOT NULL,
    rule TEXT NOT NULL,
    severity TEXT NOT NULL,
    program TEXT,
    uid INTEGER,
    at INTEGER NOT NULL,
    times INTEGER NOT NULL,
    finding TEXT NOT NULL, key TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (run, number, place)
) STRICT, WITHOUT ROWID;
INSERT INTO finding VALUES(1,1,0,'content-in-clear','medium','/usr/bin/curl',1000,1795500000000000,1,'{"what":{"rule":"content-in-clear","bytes":30,"form":true,"coverage":{"handshake":0,"searched":30,"found":0,"opaque":0,"encrypted":0,"unknown":0,"not_watched":0},"given":true},"program":"/usr/bin/curl","uid":1000,"destination":{"name":"shop.example","known":"http","company":"shop","probable":false,"role":"payment","relation":"another_company"},"envelope":"none","severity":"medium","confidence":"certain","evidence":{"flow":1,"offset":null,"field":null,"excerpt":null},"times":1,"at":1795500000000000}','content-in-clear|/usr/bin/curl|shop|form');
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
    earlier_packets_received INTEGER NOT NULL, application TEXT, names TEXT, name_known INTEGER NOT NULL DEFAULT 0, company TEXT, probable INTEGER NOT NULL DEFAULT 0, role TEXT, content_sent INTEGER NOT NULL DEFAULT 0, handshake INTEGER NOT NULL DEFAULT 0, searched INTEGER NOT NULL DEFAULT 0, found INTEGER NOT NULL DEFAULT 0, opaque INTEGER NOT NULL DEFAULT 0, encrypted INTEGER NOT NULL DEFAULT 0, unknown INTEGER NOT NULL DEFAULT 0, not_watched INTEGER NOT NULL DEFAULT 0, asked_openly INTEGER NOT NULL DEFAULT 0, earlier_content_sent INTEGER NOT NULL DEFAULT 0, earlier_handshake INTEGER NOT NULL DEFAULT 0, earlier_searched INTEGER NOT NULL DEFAULT 0, earlier_found INTEGER NOT NULL DEFAULT 0, earlier_opaque INTEGER NOT NULL DEFAULT 0, earlier_encrypted INTEGER NOT NULL DEFAULT 0, earlier_unknown INTEGER NOT NULL DEFAULT 0, earlier_not_watched INTEGER NOT NULL DEFAULT 0, earlier_asked_openly INTEGER NOT NULL DEFAULT 0, details INTEGER NOT NULL DEFAULT 0, read_with_keys INTEGER NOT NULL DEFAULT 0, earlier_read_with_keys INTEGER NOT NULL DEFAULT 0, app INTEGER REFERENCES app (id), app_version TEXT,
    PRIMARY KEY (run, number)
) STRICT, WITHOUT ROWID;
INSERT INTO flow VALUES(1,1,'udp','198.19.84.1',40001,'198.19.84.53',53,1000,4242,'/usr/bin/curl','system resolver',1795502999980000,1795502999995000,'finished',30,62,1,1,1795500000,0,0,0,0,'dns',NULL,0,NULL,0,NULL,0,30,0,0,0,0,0,0,30,0,0,0,0,0,0,0,0,0,0,0,0,NULL,NULL);
INSERT INTO flow VALUES(1,2,'tcp','198.19.84.1',40002,'192.0.2.7',443,1000,4242,'/usr/bin/curl','shop.example',1795503000000000,NULL,NULL,1500000,5000,130,90,1795503600,700000,3000,60,40,'tls','tls shop.example',1,'shop',0,'payment',1499000,700,1200,0,0,1498100,0,0,0,699000,700,0,0,0,699300,0,0,0,77,1200,0,NULL,NULL);
INSERT INTO flow VALUES(2,1,'icmp','2001:db8:7e11:7a1e::1',7,'2001:db8::9',0,NULL,NULL,'/usr/bin/ping',NULL,1795503600000000,1795503600400000,'idle',56,56,1,1,1795503600,0,0,0,0,NULL,NULL,0,NULL,0,NULL,56,0,0,0,0,0,0,56,0,0,0,0,0,0,0,0,0,0,0,0,0,NULL,NULL);
INSERT INTO flow VALUES(2,2,'tcp','198.19.84.1',40003,'192.0.2.9',80,NULL,NULL,NULL,NULL,1795503600500000,1795503600600000,'refused',0,0,1,0,1795503600,0,0,0,0,NULL,NULL,0,NULL,0,NULL,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,NULL,NULL);
CREATE TABLE forgotten (
    run INTEGER NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (run, number)
) STRICT, WITHOUT ROWID;
INSERT INTO forgotten VALUES(2,9);
CREATE TABLE gap (
    began INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    why TEXT NOT NULL,
    PRIMARY KEY (began, why)
) STRICT, WITHOUT ROWID;
INSERT INTO gap VALUES(1795500100000000,1795500200000000,'ended');
CREATE TABLE hit (
    run INTEGER NOT NULL,
    number INTEGER NOT NULL,
    place INTEGER NOT NULL,
    kind TEXT NOT NULL,
    detail_number INTEGER,
    detail_id INTEGER,
    grade TEXT NOT NULL,
    form TEXT NOT NULL,
    field TEXT NOT NULL,
    request INTEGER,
    sent_before INTEGER NOT NULL,
    excerpt TEXT NOT NULL,
    PRIMARY KEY (run, number, place)
) STRICT, WITHOUT ROWID;
INSERT INTO hit VALUES(1,1,0,'imei',1,-5,'yours','sha1 base64url cut16','name',NULL,0,'<imei 1>.shop.example');
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
    flows INTEGER NOT NULL, name_known INTEGER NOT NULL DEFAULT 0, company TEXT, probable INTEGER NOT NULL DEFAULT 0, role TEXT, content_sent INTEGER NOT NULL DEFAULT 0, handshake INTEGER NOT NULL DEFAULT 0, searched INTEGER NOT NULL DEFAULT 0, found INTEGER NOT NULL DEFAULT 0, opaque INTEGER NOT NULL DEFAULT 0, encrypted INTEGER NOT NULL DEFAULT 0, unknown INTEGER NOT NULL DEFAULT 0, not_watched INTEGER NOT NULL DEFAULT 0, asked_openly INTEGER NOT NULL DEFAULT 0, given INTEGER, read_with_keys INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (hour, program, uid, protocol, address, port, name)
) STRICT, WITHOUT ROWID;
INSERT INTO hourly VALUES(1795500000,'/usr/bin/curl',1000,'tcp','192.0.2.7',443,'shop.example',700000,3000,60,40,1,1,'shop',0,'payment',699000,700,0,0,0,699300,0,0,0,NULL,0);
INSERT INTO hourly VALUES(1795500000,'/usr/bin/curl',1000,'udp','198.19.84.53',53,'system resolver',30,62,1,1,1,0,NULL,0,NULL,0,30,0,0,0,0,0,0,30,NULL,0);
INSERT INTO hourly VALUES(1795503600,'',-1,'tcp','192.0.2.9',80,'',0,0,1,0,1,0,NULL,0,NULL,0,0,0,0,0,0,0,0,0,NULL,0);
INSERT INTO hourly VALUES(1795503600,'/usr/bin/curl',1000,'tcp','192.0.2.7',443,'shop.example',800000,2000,70,50,0,1,'shop',0,'payment',800000,0,1200,0,0,798800,0,0,0,NULL,1200);
INSERT INTO hourly VALUES(1795503600,'/usr/bin/ping',-1,'icmp','2001:db8::9',0,'',56,56,1,1,1,0,NULL,0,NULL,56,0,0,0,0,0,0,56,0,NULL,0);
CREATE TABLE interruption (
    at INTEGER NOT NULL,
    subject TEXT NOT NULL,
    PRIMARY KEY (at, subject)
) STRICT, WITHOUT ROWID;
INSERT INTO interruption VALUES(1795503600000000,'/usr/bin/curl <imei 1>');
CREATE TABLE mute (
    program TEXT NOT NULL,
    rule TEXT NOT NULL,
    PRIMARY KEY (program, rule)
) STRICT, WITHOUT ROWID;
INSERT INTO mute VALUES('/usr/bin/curl','first-contact');
CREATE TABLE party (
    id INTEGER PRIMARY KEY,
    program TEXT NOT NULL,
    uid INTEGER NOT NULL,
    name TEXT NOT NULL,
    lone TEXT NOT NULL,
    address TEXT NOT NULL,
    company TEXT,
    probable INTEGER NOT NULL,
    role TEXT,
    rows INTEGER NOT NULL,
    UNIQUE (program, uid, name, lone)
) STRICT;
INSERT INTO party VALUES(1,'',-1,'','192.0.2.9','192.0.2.9',NULL,0,NULL,1);
INSERT INTO party VALUES(2,'/usr/bin/curl',1000,'shop.example','','192.0.2.7','shop',0,'payment',2);
INSERT INTO party VALUES(3,'/usr/bin/curl',1000,'system resolver','','198.19.84.53',NULL,0,NULL,1);
INSERT INTO party VALUES(4,'/usr/bin/ping',-1,'','2001:db8::9','2001:db8::9',NULL,0,NULL,1);
INSERT INTO party VALUES(5,'',-1,'','','',NULL,0,NULL,1);
INSERT INTO party VALUES(6,'/usr/bin/curl',1000,'','','',NULL,0,NULL,3);
INSERT INTO party VALUES(7,'/usr/bin/ping',-1,'','','',NULL,0,NULL,1);
CREATE TABLE total (
    step INTEGER NOT NULL,
    began INTEGER NOT NULL,
    party INTEGER NOT NULL,
    hours INTEGER NOT NULL,
    given INTEGER,
    content_sent INTEGER NOT NULL,
    handshake INTEGER NOT NULL,
    searched INTEGER NOT NULL,
    found INTEGER NOT NULL,
    opaque INTEGER NOT NULL,
    encrypted INTEGER NOT NULL,
    unknown INTEGER NOT NULL,
    not_watched INTEGER NOT NULL,
    asked_openly INTEGER NOT NULL,
    read_with_keys INTEGER NOT NULL,
    flows INTEGER NOT NULL,
    PRIMARY KEY (step, began, party)
) STRICT, WITHOUT ROWID;
INSERT INTO total VALUES(3600,1795500000,2,1,NULL,699000,700,0,0,0,699300,0,0,0,0,1);
INSERT INTO total VALUES(3600,1795500000,3,1,NULL,0,30,0,0,0,0,0,0,30,0,1);
INSERT INTO total VALUES(3600,1795500000,6,2,NULL,699000,730,0,0,0,699300,0,0,30,0,2);
INSERT INTO total VALUES(3600,1795503600,1,1,NULL,0,0,0,0,0,0,0,0,0,0,1);
INSERT INTO total VALUES(3600,1795503600,2,1,NULL,800000,0,1200,0,0,798800,0,0,0,1200,0);
INSERT INTO total VALUES(3600,1795503600,4,1,NULL,56,0,0,0,0,0,0,56,0,0,1);
INSERT INTO total VALUES(3600,1795503600,5,1,NULL,0,0,0,0,0,0,0,0,0,0,1);
INSERT INTO total VALUES(3600,1795503600,6,1,NULL,800000,0,1200,0,0,798800,0,0,0,1200,0);
INSERT INTO total VALUES(3600,1795503600,7,1,NULL,56,0,0,0,0,0,0,56,0,0,1);
INSERT INTO total VALUES(86400,1795478400,1,1,NULL,0,0,0,0,0,0,0,0,0,0,1);
INSERT INTO total VALUES(86400,1795478400,2,2,NULL,1499000,700,1200,0,0,1498100,0,0,0,1200,1);
INSERT INTO total VALUES(86400,1795478400,3,1,NULL,0,30,0,0,0,0,0,0,30,0,1);
INSERT INTO total VALUES(86400,1795478400,4,1,NULL,56,0,0,0,0,0,0,56,0,0,1);
INSERT INTO total VALUES(86400,1795478400,5,1,NULL,0,0,0,0,0,0,0,0,0,0,1);
INSERT INTO total VALUES(86400,1795478400,6,3,NULL,1499000,730,1200,0,0,1498100,0,0,30,1200,2);
INSERT INTO total VALUES(86400,1795478400,7,1,NULL,56,0,0,0,0,0,0,56,0,0,1);
CREATE INDEX flow_started ON flow (started);
CREATE TRIGGER hit_goes AFTER DELETE ON flow BEGIN
    DELETE FROM hit WHERE run = OLD.run AND number = OLD.number;
END;
CREATE INDEX finding_at ON finding (at);
CREATE INDEX flow_names ON flow (hour) WHERE instr(names, char(10)) > 0;
CREATE TRIGGER hour_begins AFTER INSERT ON hourly BEGIN
    INSERT INTO party (program, uid, name, lone, address, company, probable, role, rows)
    VALUES
        (NEW.program, NEW.uid, NEW.name, iif(NEW.name = '', NEW.address, ''), NEW.address, NEW.company,
            NEW.probable, NEW.role, 1),
        (NEW.program, NEW.uid, '', '', '', NULL, 0, NULL, 1)
    ON CONFLICT DO UPDATE SET
        rows = rows + 1, company = excluded.company, probable = excluded.probable, role = excluded.role;
    INSERT INTO total (
        step, began, party, hours, given, content_sent, handshake, searched, found, opaque, encrypted,
        unknown, not_watched, asked_openly, read_with_keys, flows
    )
    SELECT
        step, began, id, 1, NEW.given, NEW.content_sent, NEW.handshake, NEW.searched, NEW.found,
        NEW.opaque, NEW.encrypted, NEW.unknown, NEW.not_watched, NEW.asked_openly, NEW.read_with_keys,
        NEW.flows
    FROM (SELECT 3600 AS step, NEW.hour AS began UNION ALL SELECT 86400, NEW.hour / 86400 * 86400)
    JOIN (
        SELECT id FROM party WHERE program = NEW.program AND uid = NEW.uid AND name = NEW.name AND lone = iif(NEW.name = '', NEW.address, '')
        UNION ALL SELECT id FROM party WHERE program = NEW.program AND uid = NEW.uid AND name = '' AND lone = ''
    ) WHERE true
    ON CONFLICT DO UPDATE SET
        hours = hours + 1, given = coalesce(min(given, excluded.given), given, excluded.given),
        content_sent = content_sent + excluded.content_sent, handshake = handshake + excluded.handshake,
        searched = searched + excluded.searched, found = found + excluded.found,
        opaque = opaque + excluded.opaque, encrypted = encrypted + excluded.encrypted,
        unknown = unknown + excluded.unknown, not_watched = not_watched + excluded.not_watched,
        asked_openly = asked_openly + excluded.asked_openly,
        read_with_keys = read_with_keys + excluded.read_with_keys, flows = flows + excluded.flows;
END;
CREATE TRIGGER hour_goes_on AFTER UPDATE ON hourly BEGIN
    UPDATE total SET
        given = coalesce(min(given, NEW.given), given, NEW.given),
        content_sent = content_sent + NEW.content_sent - OLD.content_sent,
        handshake = handshake + NEW.handshake - OLD.handshake,
        searched = searched + NEW.searched - OLD.searched, found = found + NEW.found - OLD.found,
        opaque = opaque + NEW.opaque - OLD.opaque, encrypted = encrypted + NEW.encrypted - OLD.encrypted,
        unknown = unknown + NEW.unknown - OLD.unknown,
        not_watched = not_watched + NEW.not_watched - OLD.not_watched,
        asked_openly = asked_openly + NEW.asked_openly - OLD.asked_openly,
        read_with_keys = read_with_keys + NEW.read_with_keys - OLD.read_with_keys,
        flows = flows + NEW.flows - OLD.flows
    WHERE step = 3600 AND began = NEW.hour AND party IN (
        SELECT id FROM party WHERE program = NEW.program AND uid = NEW.uid AND name = NEW.name AND lone = iif(NEW.name = '', NEW.address, '')
        UNION ALL SELECT id FROM party WHERE program = NEW.program AND uid = NEW.uid AND name = '' AND lone = ''
    );
    UPDATE total SET
        given = coalesce(min(given, NEW.given), given, NEW.given),
        content_sent = content_sent + NEW.content_sent - OLD.content_sent,
        handshake = handshake + NEW.handshake - OLD.handshake,
        searched = searched + NEW.searched - OLD.searched, found = found + NEW.found - OLD.found,
        opaque = opaque + NEW.opaque - OLD.opaque, encrypted = encrypted + NEW.encrypted - OLD.encrypted,
        unknown = unknown + NEW.unknown - OLD.unknown,
        not_watched = not_watched + NEW.not_watched - OLD.not_watched,
        asked_openly = asked_openly + NEW.asked_openly - OLD.asked_openly,
        read_with_keys = read_with_keys + NEW.read_with_keys - OLD.read_with_keys,
        flows = flows + NEW.flows - OLD.flows
    WHERE step = 86400 AND began = NEW.hour / 86400 * 86400 AND party IN (
        SELECT id FROM party WHERE program = NEW.program AND uid = NEW.uid AND name = NEW.name AND lone = iif(NEW.name = '', NEW.address, '')
        UNION ALL SELECT id FROM party WHERE program = NEW.program AND uid = NEW.uid AND name = '' AND lone = ''
    );
    UPDATE party SET company = NEW.company, probable = NEW.probable, role = NEW.role
    WHERE program = NEW.program AND uid = NEW.uid AND name = NEW.name AND lone = iif(NEW.name = '', NEW.address, '')
        AND (company IS NOT NEW.company OR probable <> NEW.probable OR role IS NOT NEW.role);
END;
CREATE TRIGGER hour_goes AFTER DELETE ON hourly BEGIN
    UPDATE total SET
        hours = hours - 1, content_sent = content_sent - OLD.content_sent,
        handshake = handshake - OLD.handshake, searched = searched - OLD.searched,
        found = found - OLD.found, opaque = opaque - OLD.opaque, encrypted = encrypted - OLD.encrypted,
        unknown = unknown - OLD.unknown, not_watched = not_watched - OLD.not_watched,
        asked_openly = asked_openly - OLD.asked_openly,
        read_with_keys = read_with_keys - OLD.read_with_keys, flows = flows - OLD.flows
    WHERE step = 3600 AND began = OLD.hour AND party IN (
        SELECT id FROM party WHERE program = OLD.program AND uid = OLD.uid AND name = OLD.name AND lone = iif(OLD.name = '', OLD.address, '')
        UNION ALL SELECT id FROM party WHERE program = OLD.program AND uid = OLD.uid AND name = '' AND lone = ''
    );
    UPDATE total SET
        hours = hours - 1, content_sent = content_sent - OLD.content_sent,
        handshake = handshake - OLD.handshake, searched = searched - OLD.searched,
        found = found - OLD.found, opaque = opaque - OLD.opaque, encrypted = encrypted - OLD.encrypted,
        unknown = unknown - OLD.unknown, not_watched = not_watched - OLD.not_watched,
        asked_openly = asked_openly - OLD.asked_openly,
        read_with_keys = read_with_keys - OLD.read_with_keys, flows = flows - OLD.flows
    WHERE step = 86400 AND began = OLD.hour / 86400 * 86400 AND party IN (
        SELECT id FROM party WHERE program = OLD.program AND uid = OLD.uid AND name = OLD.name AND lone = iif(OLD.name = '', OLD.address, '')
        UNION ALL SELECT id FROM party WHERE program = OLD.program AND uid = OLD.uid AND name = '' AND lone = ''
    );
    DELETE FROM total WHERE hours < 1 AND step = 3600 AND began = OLD.hour AND party IN (
        SELECT id FROM party WHERE program = OLD.program AND uid = OLD.uid AND name = OLD.name AND lone = iif(OLD.name = '', OLD.address, '')
        UNION ALL SELECT id FROM party WHERE program = OLD.program AND uid = OLD.uid AND name = '' AND lone = ''
    );
    DELETE FROM total WHERE hours < 1 AND step = 86400 AND began = OLD.hour / 86400 * 86400 AND party IN (
        SELECT id FROM party WHERE program = OLD.program AND uid = OLD.uid AND name = OLD.name AND lone = iif(OLD.name = '', OLD.address, '')
        UNION ALL SELECT id FROM party WHERE program = OLD.program AND uid = OLD.uid AND name = '' AND lone = ''
    );
    UPDATE party SET rows = rows - 1 WHERE id IN (
        SELECT id FROM party WHERE program = OLD.program AND uid = OLD.uid AND name = OLD.name AND lone = iif(OLD.name = '', OLD.address, '')
        UNION ALL SELECT id FROM party WHERE program = OLD.program AND uid = OLD.uid AND name = '' AND lone = ''
    );
    DELETE FROM party WHERE rows < 1 AND id IN (
        SELECT id FROM party WHERE program = OLD.program AND uid = OLD.uid AND name = OLD.name AND lone = iif(OLD.name = '', OLD.address, '')
        UNION ALL SELECT id FROM party WHERE program = OLD.program AND uid = OLD.uid AND name = '' AND lone = ''
    );
END;
CREATE INDEX finding_key ON finding (key, at, times);
COMMIT;
