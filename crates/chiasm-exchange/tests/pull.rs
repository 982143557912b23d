//! FHIR and DICOMweb servers played by a few lines, with the faults of real ones.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chiasm_exchange::Error;
use chiasm_exchange::inbox::{Inbox, sealed};
use chiasm_exchange::pull::{
    BackendService, Bookmark, Client, ClientOptions, DicomWeb, Export, Fhir, Level, Login, Pulled,
    SecretSource, StudyQuery,
};
use ring::signature::{ECDSA_P384_SHA384_FIXED, RSA_PKCS1_2048_8192_SHA384, UnparsedPublicKey};

/// What came: method, path with query, headers in lower case, body.
#[derive(Clone, Debug)]
struct Asked {
    method: String,
    path: String,
    headers: HashMap<String, String>,
    body: String,
}

type Answer = (u16, Vec<(String, String)>, Vec<u8>);

/// A server on its own thread; every answer closes its connection.
struct Server {
    address: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

fn serve(answer: impl Fn(&Asked, usize, &str) -> Answer + Send + 'static) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::<Asked>::new()));
    let (log, here) = (asked.clone(), address.clone());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                continue;
            }
            let mut words = line.split(' ').map(str::to_owned);
            let (method, path) = (words.next().unwrap(), words.next().unwrap());
            let mut headers = HashMap::new();
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                let Some((name, value)) = line.trim().split_once(':') else { break };
                headers.insert(name.to_lowercase(), value.trim().to_owned());
            }
            let length = headers.get("content-length").map_or(0, |n| n.parse().unwrap());
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let one = Asked { method, path, headers, body: String::from_utf8(body).unwrap() };
            log.lock().unwrap().push(one.clone());
            let before = log.lock().unwrap().iter().filter(|a| a.path == one.path).count() - 1;
            let (status, headers, body) = answer(&one, before, &here);
            let mut head = format!("HTTP/1.1 {status} X\r\nConnection: close\r\n");
            // A status of 299 is one whose body breaks off before its length.
            let length = if status == 299 { body.len() + 10 } else { body.len() };
            head.push_str(&format!("Content-Length: {length}\r\n"));
            for (name, value) in headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            let _ = stream.write_all(format!("{head}\r\n").as_bytes());
            let _ = stream.write_all(&body);
        }
    });
    Server { address, asked }
}

fn ok(body: impl Into<Vec<u8>>) -> Answer {
    (200, vec![], body.into())
}

fn options() -> ClientOptions {
    ClientOptions { back_off: Duration::from_millis(5), retries: 3, ..ClientOptions::default() }
}

fn client(server: &Server, login: Login) -> Client {
    Client::new(&format!("{}/base", server.address), login, options()).unwrap()
}

fn inbox(folder: &Path) -> Inbox {
    Inbox::open_objects(folder).unwrap()
}

fn contents(folder: &Path) -> Vec<String> {
    let mut all: Vec<_> = sealed(folder).unwrap().iter().map(|f| fs::read_to_string(f).unwrap()).collect();
    all.sort();
    all
}

fn bundle(entries: usize, next: Option<&str>) -> String {
    let link = next.map_or(String::new(), |url| format!(r#"{{"relation":"next","url":"{url}"}}"#));
    let entry = vec![r#"{"resource":{"resourceType":"Patient"}}"#; entries].join(",");
    format!(r#"{{"resourceType":"Bundle","type":"searchset","link":[{link}],"entry":[{entry}]}}"#)
}

#[test]
fn a_search_follows_its_pages_through_faults_and_resumes() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve(|asked, before, here| match asked.path.as_str() {
        "/base/Patient?_count=2&_lastUpdated=ge2026-01-01T00%3A00%3A00Z" => match before {
            0 => (503, vec![("Retry-After".into(), "0".into())], vec![]),
            1 => (299, vec![], b"{\"resou".to_vec()),
            _ => ok(bundle(2, Some(&format!("{here}/base?page=2")))),
        },
        "/base?page=2" => ok(bundle(1, Some("/base?page=3"))),
        "/base?page=3" => ok(bundle(0, None)),
        _ => (404, vec![], vec![]),
    });
    let token = folder.path().join("token");
    fs::write(&token, "secret-token\n").unwrap();
    let fhir = Fhir::new(client(&server, Login::Bearer(SecretSource::File(token))));
    let place = folder.path().join("inbox");
    let mut pages = Vec::new();
    let mut run = |fhir: &Fhir| {
        fhir.search("Patient?_count=2", Some("2026-01-01T00:00:00Z"), &inbox(&place), &mut |page| {
            pages.push((page.resources, page.next.map(str::to_owned)));
        })
    };
    let pulled = run(&fhir).unwrap();
    assert_eq!((pulled.kept, pulled.new), (3, 3));
    assert_eq!(pages.iter().map(|p| p.0).collect::<Vec<_>>(), [2, 1, 0]);
    assert_eq!(contents(&place).len(), 3);
    let resumed = fhir.resume(pages[0].1.as_ref().unwrap(), &inbox(&place), &mut |_| {}).unwrap();
    assert_eq!((resumed.kept, resumed.new), (2, 0));
    assert!(server.asked.lock().unwrap().iter().all(|a| a.headers["authorization"] == "Bearer secret-token"));
}

#[test]
fn links_to_other_hosts_loops_and_wrong_answers_are_refused_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let other = serve(|_, _, _| ok(bundle(0, None)));
    let elsewhere = format!("{}/x", other.address);
    let server = serve(move |asked, _, here| match asked.path.as_str() {
        "/base/other" => ok(bundle(0, Some(&elsewhere))),
        "/base/redirect" => (302, vec![("Location".into(), elsewhere.clone())], vec![]),
        "/base/loop" => ok(bundle(0, Some(&format!("{here}/base/loop")))),
        "/base/file" => ok(bundle(0, Some("file:///etc/passwd"))),
        "/base/patient" => ok(r#"{"resourceType":"Patient"}"#),
        "/base/noise" => ok("secret of a patient"),
        _ => (403, vec![], b"secret of a patient".to_vec()),
    });
    let folder = folder.path();
    fs::write(folder.join("password"), "hunter2").unwrap();
    let login = || Login::Basic { user: "u".into(), password: SecretSource::File(folder.join("password")) };
    let fhir = Fhir::new(client(&server, login()));
    let ask = |fhir: &Fhir, query: &str| fhir.search(query, None, &inbox(folder), &mut |_| {}).unwrap_err();
    assert!(matches!(ask(&fhir, "other"), Error::OtherHost { .. }));
    assert!(matches!(ask(&fhir, "redirect"), Error::OtherHost { .. }));
    assert!(other.asked.lock().unwrap().is_empty());
    for query in ["loop", "patient", "noise", "file"] {
        let error = ask(&fhir, query);
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    }
    let refused = format!("{:?}", ask(&fhir, "Patient?name=Doe"));
    assert!(refused.contains("403") && !refused.contains("Doe") && !refused.contains("secret"), "{refused}");
    assert!(!format!("{:?}", login()).contains("hunter2"));
    // Allowed by name: followed, but without our credentials.
    let host = other.address.trim_start_matches("http://").to_owned();
    let allowed = ClientOptions { allowed_hosts: vec![host], ..options() };
    let fhir = Fhir::new(Client::new(&format!("{}/base", server.address), login(), allowed).unwrap());
    fhir.search("other", None, &inbox(folder), &mut |_| {}).unwrap();
    fhir.search("redirect", None, &inbox(folder), &mut |_| {}).unwrap();
    assert!(other.asked.lock().unwrap().iter().all(|a| !a.headers.contains_key("authorization")));
}

/// Keys made for this test by `tests/fixtures/make.sh`.
fn fixture(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn verified(jwt: &str, public: &str, rsa: bool) -> serde_json::Value {
    let parts: Vec<&str> = jwt.split('.').collect();
    let signed = format!("{}.{}", parts[0], parts[1]);
    let signature = URL_SAFE_NO_PAD.decode(parts[2]).unwrap();
    let key = fs::read(fixture(public)).unwrap();
    let checked = if rsa {
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA384, key).verify(signed.as_bytes(), &signature)
    } else {
        UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, key).verify(signed.as_bytes(), &signature)
    };
    checked.expect("the signature is good");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap()
}

#[test]
fn an_export_is_asked_for_waited_for_and_fetched_with_a_token_that_is_renewed() {
    for (key, public, rsa) in [("rsa.pem", "rsa.pub", true), ("ec384.pem", "ec384.pub", false)] {
        let folder = tempfile::tempdir().unwrap();
        let server = serve(|asked, before, here| match (asked.method.as_str(), asked.path.as_str()) {
            (_, "/base/.well-known/smart-configuration") => {
                ok(format!(r#"{{"token_endpoint":"{here}/token"}}"#))
            }
            ("POST", "/token") => ok(format!(r#"{{"access_token":"t{before}","expires_in":300}}"#)),
            // The first token is taken back early.
            _ if asked.headers.get("authorization").is_none_or(|a| a == "Bearer t0") => (401, vec![], vec![]),
            ("DELETE", "/status/1") => (202, vec![], vec![]),
            ("GET", "/status/1") if before < 2 => (202, vec![("Retry-After".into(), "0".into())], vec![]),
            ("GET", "/status/1") => ok(format!(
                r#"{{"requiresAccessToken":true,"output":[{{"type":"Patient","url":"{here}/f/1"}},
                     {{"type":"Patient","url":"{here}/f/2"}},{{"type":"Condition","url":"{here}/f/empty"}}],
                     "deleted":[{{"type":"Bundle","url":"{here}/f/gone"}}],"error":[{{"url":"{here}/f/e"}}]}}"#
            )),
            ("GET", "/f/empty") => ok(""),
            ("GET", "/f/2") if before == 0 => (299, vec![], b"{\"resource".to_vec()),
            ("GET", path) if path.starts_with("/f/") => ok(format!("{{\"resourceType\":\"{path}\"}}\n")),
            ("GET", path) if path.starts_with("/base/Group/g%201/$export?") => {
                (202, vec![("Content-Location".into(), format!("{here}/status/1"))], vec![])
            }
            _ => (404, vec![], vec![]),
        });
        let service = BackendService {
            client_id: "chiasm-test".into(),
            key: fixture(key),
            key_id: Some("k1".into()),
            token_url: None,
            scope: "system/*.rs".into(),
        };
        let export = Export {
            level: Level::Group("g 1".into()),
            types: vec!["Patient".into(), "Condition".into()],
            since: Some("2026-01-01T00:00:00Z".into()),
            patience: Duration::from_secs(30),
        };
        let fhir = Fhir::new(client(&server, Login::Backend(service)));
        let pulled = fhir.export(&export, &inbox(folder.path()), None).unwrap();
        assert_eq!((pulled.kept, pulled.missing), (3, 1));
        assert_eq!(contents(folder.path()).len(), 3);
        let asked = server.asked.lock().unwrap();
        let kick_off = asked.iter().find(|a| a.path.contains("$export")).unwrap();
        assert_eq!(kick_off.headers["prefer"], "respond-async");
        assert!(kick_off.path.contains("_type=Patient%2CCondition&_since=2026-01-01T00%3A00%3A00Z"));
        assert!(asked.iter().any(|a| a.method == "DELETE"));
        let tokens: Vec<_> = asked.iter().filter(|a| a.path == "/token").collect();
        assert_eq!(tokens.len(), 2, "renewed once");
        let mut once = std::collections::HashSet::new();
        for token in tokens {
            assert!(token.body.starts_with("grant_type=client_credentials&scope=system%2F%2A.rs&"));
            let claims = verified(token.body.split("client_assertion=").nth(1).unwrap(), public, rsa);
            assert_eq!((&claims["iss"], &claims["sub"]), (&"chiasm-test".into(), &"chiasm-test".into()));
            assert_eq!(claims["aud"], format!("{}/token", server.address));
            assert!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap() <= 300);
            assert!(once.insert(claims["jti"].to_string()));
        }
    }
}

#[test]
fn an_export_of_a_busy_server_that_lacks_a_file_brings_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve(|asked, before, here| match (asked.method.as_str(), asked.path.as_str()) {
        ("GET", "/base/Patient/$export?_outputFormat=application%2Ffhir%2Bndjson") if before == 0 => {
            (429, vec![("Retry-After".into(), "0".into())], vec![])
        }
        ("GET", path) if path.contains("$export") => {
            (202, vec![("Content-Location".into(), format!("{here}/status"))], vec![])
        }
        ("GET", "/status") if before == 0 => (202, vec![("Retry-After".into(), "0".into())], vec![]),
        ("GET", "/status") if before < 3 => (429, vec![("Retry-After".into(), "0".into())], vec![]),
        ("GET", "/status") => ok(format!(
            r#"{{"output":[{{"url":"{here}/f/1"}},{{"url":"{here}/f/lost"}},{{"url":"{here}/f/2"}}]}}"#
        )),
        ("GET", path @ ("/f/1" | "/f/2")) => ok(format!("{{\"resourceType\":\"{path}\"}}\n")),
        _ => (404, vec![], vec![]),
    });
    let patience = Duration::from_secs(30);
    let export = Export { level: Level::Patient, types: Vec::new(), since: None, patience };
    let fhir = Fhir::new(client(&server, Login::Anonymous));
    let mark = Bookmark::open(folder.path(), "this export").unwrap();
    let pulled = fhir.export(&export, &inbox(folder.path()), Some(&mark)).unwrap();
    assert_eq!((pulled.kept, pulled.missing), (2, 1));
    assert_eq!(contents(folder.path()).len(), 2);
    assert!(
        server.asked.lock().unwrap().iter().all(|a| a.method != "DELETE"),
        "the server may still be asked"
    );
    // And is: the same export, not another one.
    let pulled = fhir.export(&export, &inbox(folder.path()), Some(&mark)).unwrap();
    assert_eq!((pulled.kept, pulled.new, pulled.missing), (2, 0, 1));
    assert_eq!(server.asked.lock().unwrap().iter().filter(|a| a.path.contains("$export")).count(), 2);
    // A bookmark that the server no longer knows: asked for anew.
    mark.set(&format!("{}/forgotten", server.address)).unwrap();
    assert_eq!(fhir.export(&export, &inbox(folder.path()), Some(&mark)).unwrap().kept, 2);
    // One that is never ready is given up in time.
    let never = serve(|asked, _, here| match asked.path.as_str() {
        "/status" => (202, vec![("Retry-After".into(), "1".into())], vec![]),
        _ => (202, vec![("Content-Location".into(), format!("{here}/status"))], vec![]),
    });
    let export = Export { patience: Duration::from_secs(2), ..export };
    let fhir = Fhir::new(client(&never, Login::Anonymous));
    let late = fhir.export(&export, &inbox(folder.path()), None).unwrap_err();
    assert!(late.to_string().contains("still prepares"), "{late}");
}

fn part10(uid: &str, size: usize) -> Vec<u8> {
    let mut file = vec![0; 128];
    file.extend(b"DICM\x02\0\0\0UL\x04\0\0\0\0\0\x02\0\x01\0OB\0\0\x02\0\0\0\0\x01\x02\0\x03\0UI");
    file.extend((uid.len() as u16).to_le_bytes());
    file.extend(uid.as_bytes());
    file.extend((0..size).map(|n| b"\r\n--boundary"[n % 12]));
    file
}

fn multipart(uids: &[&str]) -> Answer {
    let mut body = Vec::new();
    for uid in uids {
        body.extend(b"\r\n--b1\r\nContent-Type: application/dicom\r\n\r\n");
        body.extend(part10(uid, 100_000));
    }
    body.extend(b"\r\n--b1--");
    (
        200,
        vec![("Content-Type".into(), "multipart/related; type=\"application/dicom\"; boundary=b1".into())],
        body,
    )
}

#[test]
fn studies_are_fetched_page_by_page_and_resumed_by_what_is_known() {
    let row = |uid: &str| {
        format!(
            r#"{{"0020000D":{{"vr":"UI","Value":["{uid}"]}},"0020000E":{{"vr":"UI","Value":["9.1"]}},
                "00080018":{{"vr":"UI","Value":["{uid}"]}}}}"#
        )
    };
    let server = serve(move |asked, before, _| {
        let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
        match (path, query.contains("offset=0")) {
            ("/base/studies", true) => {
                assert!(query.contains("StudyDate=20260101-&ModalitiesInStudy=CT"), "{query}");
                ok(format!("[{},{}]", row("1.2.01"), row("1.2.02")))
            }
            ("/base/studies", _) if query.contains("offset=2") => ok(format!("[{}]", row("1.2.03"))),
            ("/base/studies/1.2.03/instances", _) => (204, vec![], vec![]),
            (path, true) if path.ends_with("/instances") => {
                let study = path.split('/').nth(3).unwrap();
                ok(format!("[{},{}]", row(&format!("{study}.1")), row(&format!("{study}.2"))))
            }
            // The whole study breaks off after its first object; single objects come on the second try.
            ("/base/studies/1.2.01", _) => {
                let (_, headers, mut body) = multipart(&["1.2.01.1", "1.2.01.2"]);
                body.truncate(150_000);
                (299, headers, body)
            }
            ("/base/studies/1.2.02", _) => (500, vec![], vec![]),
            (_, _) if before == 0 && asked.path.ends_with(".1") => (503, vec![], vec![]),
            ("/base/studies/1.2.02/series/9.1/instances/1.2.02.2", _) => (404, vec![], vec![]),
            (path, _) if path.contains("/series/9.1/instances/") => {
                multipart(&[path.rsplit('/').next().unwrap()])
            }
            _ => ok("[]"),
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let query =
        StudyQuery { dates: Some("20260101-".into()), modality: Some("CT".into()), ..StudyQuery::default() };
    let web = DicomWeb::new(client(&server, Login::Anonymous), 2);
    let mut known = std::collections::HashSet::new();
    let pulled = web
        .pull(&query, &inbox(folder.path()), &|_| false, &mut |uid, _| assert!(known.insert(uid.to_owned())))
        .unwrap();
    let size = part10("1.2.01.1", 100_000).len() as u64;
    assert_eq!(pulled, Pulled { kept: 3, new: 3, bytes: 3 * size, had: 0, missing: 1 });
    let files = sealed(folder.path()).unwrap();
    assert!(files.iter().any(|file| fs::read(file).unwrap() == part10("1.2.01.2", 100_000)));
    assert_eq!(fs::read_dir(folder.path().join("partial")).unwrap().count(), 0);
    let again = web.pull(&query, &inbox(folder.path()), &|uid| known.contains(uid), &mut |_, _| {}).unwrap();
    assert_eq!((again.kept, again.had, again.missing), (0, 3, 1));
}
