//! The report comes at the end, where it was asked to come, and tells what COMMAND sent.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::{Background, TELLTALE, able, has, text};

#[test]
fn nothing_of_ours_appears_before_command_has_ended() {
    if !able() {
        return;
    }
    let mut telltale = Command::new(TELLTALE);
    telltale.args([
        "run",
        "--db",
        "none",
        "--",
        "sh",
        "-c",
        "echo started; read line; echo last >&2; exit 1",
    ]);
    let mut running = Background::start(telltale);
    assert_eq!(running.line(), "started");
    drop(running.telltale.stdin.take());
    let mut told = String::new();
    running.telltale.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert_eq!(told, "last\nNo network traffic was seen.\n");
    assert_eq!(running.code(), Some(1));
}

#[test]
fn the_report_goes_to_a_file_or_a_descriptor_and_leaves_stderr_alone() {
    if !able() {
        return;
    }
    let file = std::env::temp_dir().join(format!("telltale-report-{}", std::process::id()));
    let file_name = file.to_str().unwrap();
    for redirect in ["--report \"$FILE\" -- true", "--report 3 -- true 3> \"$FILE\""] {
        let line = format!("\"$TELLTALE\" run --db none {redirect}");
        let output = Command::new("bash")
            .args(["-c", &line])
            .env("TELLTALE", TELLTALE)
            .env("FILE", file_name)
            .output();
        assert_eq!(text(&output.unwrap().stderr), "");
        assert_eq!(fs::read_to_string(&file).unwrap(), "No network traffic was seen.\n");
        fs::remove_file(&file).unwrap();
    }
    let output =
        Command::new(TELLTALE).args(["run", "--db", "none", "--report", "99", "--", "true"]).output();
    assert_eq!(output.unwrap().status.code(), Some(125), "no such descriptor");
}

#[test]
fn a_port_of_the_hosts_loopback_is_carried_and_counted() {
    if !able() || !has("nc") {
        return;
    }
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port().to_string();
    let serving = thread::spawn(move || {
        let (mut client, _) = server.accept().unwrap();
        let mut heard = Vec::new();
        client.read_to_end(&mut heard).unwrap();
        client.write_all(&heard.repeat(3)).unwrap();
    });
    let mut telltale = Command::new(TELLTALE);
    telltale.args(["run", "--db", "none", "--json", "--loopback", &port]);
    telltale.args(["--", "nc", "-N", "127.0.0.1", &port]);
    let mut child =
        telltale.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&[b'x'; 70_000]).unwrap();
    let output = child.wait_with_output().unwrap();
    serving.join().unwrap();
    assert_eq!(output.stdout, [b'x'; 210_000]);
    let report: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    let row = &report["rows"][0];
    assert_eq!((row["bytes_sent"].as_u64(), row["bytes_received"].as_u64()), (Some(70_000), Some(210_000)));
    assert_eq!(row["address"], "127.0.0.1");
    assert!(row["program"].as_str().unwrap().contains("/nc"), "the owner: {row}");
    assert_eq!(row["port"].as_u64(), port.parse().ok());
}

#[test]
fn what_is_left_to_send_through_the_loopback_arrives_too() {
    if !able() || !has("bash") {
        return;
    }
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let serving = thread::spawn(move || {
        let (mut client, _) = server.accept().unwrap();
        thread::sleep(Duration::from_millis(500));
        let mut heard = Vec::new();
        client.read_to_end(&mut heard).map(|_| heard.len())
    });
    let script = format!("head -c 6000000 /dev/zero > /dev/tcp/127.0.0.1/{port}");
    let mut telltale = Command::new(TELLTALE);
    telltale.args(["run", "--db", "none", "--report", "none", "--loopback", &port.to_string()]);
    let status = telltale.args(["--", "bash", "-c", &script]).status().unwrap();
    assert!(status.success());
    assert_eq!(serving.join().unwrap().unwrap(), 6_000_000);
}

/// `localhost` may stand for `::1` first.
#[test]
fn a_service_that_listens_at_one_loopback_alone_is_reached_by_the_other() {
    if !able() || !has("nc") {
        return;
    }
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port().to_string();
    let serving = thread::spawn(move || server.accept().unwrap().0.write_all(b"here"));
    let mut telltale = Command::new(TELLTALE);
    telltale.args(["run", "--db", "none", "--report", "none", "--loopback", &port]);
    let output = telltale.args(["--", "nc", "-N", "::1", &port]).stdin(Stdio::null()).output().unwrap();
    assert_eq!(text(&output.stdout), "here", "{}", text(&output.stderr));
    serving.join().unwrap().unwrap();
}

#[test]
fn live_is_refused_where_there_is_no_terminal_to_draw_on() {
    let output = Command::new(TELLTALE)
        .args(["run", "--live", "--", "echo", "ran"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(125), ""));
    assert!(text(&output.stderr).contains("--live"), "{}", text(&output.stderr));
}

/// A program that sends while the screen is off, as the file says that is written meanwhile. (What comes after an event
/// is claimed only between quiet steps of minutes: the replay's tests have those.)
#[test]
fn events_that_are_written_while_command_runs_are_told_with_what_came_after() {
    if !able() || !has("bash") {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.read_to_end(&mut Vec::new()).unwrap();
    });
    let events = std::env::temp_dir().join(format!("telltale-events-{}", std::process::id()));
    fs::write(&events, "# a night\nsoon screen_on\n").unwrap();
    let sends = format!(
        "echo \"$(date +%s) screen_off\" >> $0
         sleep 1
         exec 3<>/dev/tcp/127.0.0.1/{port}; printf '%02000d' 0 >&3; sleep 1; exec 3<&-"
    );
    let mut telltale = Command::new(TELLTALE);
    telltale.args(["run", "--db", "none", "--json", "--report", "3", "--loopback", &port.to_string()]);
    telltale.arg("--events").arg(&events).args(["--", "bash", "-c", &sends]).arg(&events);
    let arguments: Vec<_> = telltale.get_args().map(|word| word.to_owned()).collect();
    let output = Command::new("bash")
        .args(["-c", "\"$0\" \"$@\" 3>&1 >/dev/null"])
        .arg(TELLTALE)
        .args(arguments)
        .output()
        .unwrap();
    server.join().unwrap();
    fs::remove_file(&events).unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let off = report["findings"].as_array().unwrap().iter().find(|found| found["rule"] == "screen-off");
    let off = off.unwrap_or_else(|| panic!("{report}"));
    assert_eq!(off["address"], "127.0.0.1");
    let passed_over = "of the events 1 line was passed over, the first: line 2: \"soon\" is not a time";
    assert_eq!(report["problems"], serde_json::json!([passed_over]));
}
