use super::*;
use crate::psbt::build;
use crate::samples;
use crate::script_kind::ScriptKind;

fn psbt() -> Psbt {
    let kind = ScriptKind::P2wpkh;
    let plan = samples::plan(kind);
    build(&plan, &samples::account(kind), &samples::fundings(kind)).unwrap()
}

#[tokio::test]
async fn frames_come_out_as_they_went_in() {
    let (mut here, mut there) = tokio::io::duplex(64);
    let long = vec![b'x'; 10_000];
    let frames = [b"{}".to_vec(), Vec::new(), long];
    let sent = frames.clone();
    let writing = tokio::spawn(async move {
        for frame in &sent {
            write_frame(&mut here, frame).await.unwrap();
        }
    });
    for frame in frames {
        assert_eq!(read_frame(&mut there).await.unwrap(), Some(frame));
    }
    writing.await.unwrap();
    assert_eq!(read_frame(&mut there).await.unwrap(), None);
}

#[tokio::test]
async fn a_frame_that_is_too_long_is_refused_by_its_length() {
    let length = u32::try_from(FRAME_MAX).unwrap() + 1;
    let mut bytes: &[u8] = &length.to_be_bytes();
    assert!(matches!(
        read_frame(&mut bytes).await,
        Err(FrameError::TooLong(found)) if found == FRAME_MAX + 1
    ));
    let mut nowhere = Vec::new();
    let long = vec![0; FRAME_MAX + 1];
    assert!(matches!(
        write_frame(&mut nowhere, &long).await,
        Err(FrameError::TooLong(_))
    ));
    assert!(nowhere.is_empty());
}

#[tokio::test]
async fn a_frame_that_breaks_off_is_an_error() {
    for bytes in [&[0, 0][..], &[0, 0, 0, 5, b'{', b'}'][..]] {
        let mut reader = bytes;
        assert!(matches!(
            read_frame(&mut reader).await,
            Err(FrameError::Connection(error)) if error.kind() == io::ErrorKind::UnexpectedEof
        ));
    }
}

#[test]
fn a_request_reads_back() {
    let request = Request::new(&psbt(), vec!["withdrawal 1".to_owned()]);
    let json = serde_json::to_vec(&request).unwrap();
    assert_eq!(Request::parse(&json).unwrap(), (request, psbt()));
}

#[test]
fn requests_that_are_none_are_refused_in_words() {
    for json in [
        "",
        "{}",
        "[]",
        r#"{"psbt":"cHNidP8="}"#,
        r#"{"psbt":"","references":[],"force":true}"#,
    ] {
        assert!(
            matches!(Request::parse(json.as_bytes()), Err(RequestError::Form(_))),
            "{json}"
        );
    }
    for text in ["", "!", "cHNidP8=", "AAAA"] {
        let json = format!(r#"{{"psbt":"{text}","references":[]}}"#);
        assert!(matches!(
            Request::parse(json.as_bytes()),
            Err(RequestError::Psbt(_))
        ));
    }
    let mut request = Request::new(&psbt(), vec!["x".repeat(200)]);
    let parse = |request: &Request| Request::parse(&serde_json::to_vec(request).unwrap());
    assert!(parse(&request).is_ok());
    request.references = vec!["x".repeat(201)];
    assert_eq!(parse(&request), Err(RequestError::References));
    request.references = vec![String::new(); 5_001];
    assert_eq!(parse(&request), Err(RequestError::References));
}

#[test]
fn answers_have_the_form_that_is_documented() {
    for (answer, json) in [
        (
            Answer::Psbt("cHNidP8=".to_owned()),
            r#"{"psbt":"cHNidP8="}"#,
        ),
        (Answer::Refused("no".to_owned()), r#"{"refused":"no"}"#),
        (
            Answer::RefusedPayments(vec![RefusedPayment {
                script: ScriptBuf::from_bytes(vec![0x51]),
                satoshi: 7,
                why: "no".to_owned(),
            }]),
            r#"{"refused_payments":[{"script":"51","satoshi":7,"why":"no"}]}"#,
        ),
        (
            Answer::DayIsFull(DayIsFull {
                spent: 6,
                max: 8,
                why: "no".to_owned(),
            }),
            r#"{"day_is_full":{"spent":6,"max":8,"why":"no"}}"#,
        ),
        (Answer::Failed("disk".to_owned()), r#"{"failed":"disk"}"#),
    ] {
        assert_eq!(serde_json::to_string(&answer).unwrap(), json);
        assert_eq!(serde_json::from_str::<Answer>(json).unwrap(), answer);
    }
}
