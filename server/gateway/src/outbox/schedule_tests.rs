use super::*;

const SERVER_ERROR: FailureKind = FailureKind::Status(500);

#[track_caller]
fn check_delays(schedule: Schedule, jitter: u16, expected_ms: &[u64]) {
    let made = 1..=u32::try_from(expected_ms.len()).unwrap_or(u32::MAX);
    for (attempts_made, ms) in made.zip(expected_ms) {
        assert_eq!(
            next_attempt(schedule, attempts_made, jitter, None, SERVER_ERROR),
            Some(Duration::from_millis(*ms)),
            "after {attempts_made} attempts",
        );
    }
    let all = u32::try_from(schedule.tries()).unwrap_or(0);
    assert_eq!(expected_ms.len() + 1, schedule.tries());
    assert_eq!(
        next_attempt(schedule, all, jitter, None, SERVER_ERROR),
        None
    );
    assert_eq!(
        next_attempt(schedule, u32::MAX, jitter, None, SERVER_ERROR),
        None
    );
}

#[test]
fn stored_words_are_read_back() {
    for word in ["standard", "ipn", "processing"] {
        assert_eq!(Schedule::from_word(word).map(Schedule::word), Some(word));
    }
    assert_eq!(Schedule::from_word("Standard"), None);
}

#[test]
fn the_first_attempt_is_immediate() {
    for schedule in [Schedule::Standard, Schedule::Ipn, Schedule::Processing] {
        let first = next_attempt(schedule, 0, u16::MAX, None, FailureKind::Timeout);
        assert_eq!(first, Some(Duration::ZERO));
    }
}

#[test]
fn ten_tries_follow_the_standard_steps() {
    let full = [
        5_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 50_400_000, 72_000_000,
        86_400_000,
    ];
    let earliest = [
        4_000, 240_000, 1_440_000, 5_760_000, 14_400_000, 28_800_000, 40_320_000, 57_600_000,
        69_120_000,
    ];
    for schedule in [Schedule::Standard, Schedule::Ipn] {
        assert_eq!(schedule.tries(), 10);
        check_delays(schedule, 0, &full);
        check_delays(schedule, u16::MAX, &earliest);
    }
}

#[test]
fn processing_retries_thirteen_times_at_the_exact_minutes() {
    let minutes = [1, 5, 10, 15, 20, 30, 60, 90, 120, 150, 180, 210, 240];
    let expected = minutes.map(|minute: u64| minute * 60_000);
    assert_eq!(Schedule::Processing.tries(), 14);
    check_delays(Schedule::Processing, 0, &expected);
    check_delays(Schedule::Processing, u16::MAX, &expected);
}

#[test]
fn jitter_never_makes_a_delay_longer() {
    for jitter in (0..=u16::MAX).step_by(257) {
        let delay = next_attempt(Schedule::Standard, 1, jitter, None, SERVER_ERROR);
        let bounds = Duration::from_secs(4)..=Duration::from_secs(5);
        assert!(
            delay.is_some_and(|delay| bounds.contains(&delay)),
            "{jitter}: {delay:?}"
        );
    }
}

#[test]
fn retry_after_is_honoured_between_once_and_twice_the_delay() {
    let cases = [
        // (attempts made, cause, asked for, granted), in seconds
        (1, FailureKind::Status(503), 0, 5),
        (1, FailureKind::Status(503), 7, 7),
        (1, FailureKind::Status(503), 3_600, 10),
        (1, FailureKind::Status(429), 7, 7),
        (1, FailureKind::Status(429), 90, 10),
        (1, FailureKind::Status(429), u64::MAX, 10),
        (9, FailureKind::Status(429), 100_000, 100_000),
    ];
    for (attempts_made, cause, asked, granted) in cases {
        let asked = Duration::from_secs(asked);
        let delay = next_attempt(
            Schedule::Standard,
            attempts_made,
            u16::MAX,
            Some(asked),
            cause,
        );
        assert_eq!(
            delay,
            Some(Duration::from_secs(granted)),
            "{cause:?} {asked:?}"
        );
    }
    let last = next_attempt(
        Schedule::Standard,
        10,
        0,
        Some(Duration::ZERO),
        SERVER_ERROR,
    );
    assert_eq!(last, None);
}

#[test]
fn retry_after_does_not_move_the_named_minutes() {
    for asked in [0, 90, 100_000] {
        let asked = Some(Duration::from_secs(asked));
        let cause = FailureKind::Status(503);
        assert_eq!(
            next_attempt(Schedule::Processing, 1, 0, asked, cause),
            Some(Duration::from_secs(60))
        );
    }
}

#[test]
fn only_hopeless_failures_end_early() {
    use FailureKind::*;
    for cause in [
        Dns,
        Blocked,
        Connect,
        Tls,
        Timeout,
        Redirect,
        Status(404),
        Status(500),
    ] {
        assert!(
            next_attempt(Schedule::Standard, 1, 0, None, cause).is_some(),
            "{cause:?}"
        );
    }
    assert_eq!(next_attempt(Schedule::Standard, 1, 0, None, Gone), None);
    assert!(next_attempt(Schedule::Ipn, 1, 0, None, Gone).is_some());
    assert!(next_attempt(Schedule::Processing, 1, 0, None, Gone).is_some());
    assert_eq!(
        next_attempt(Schedule::Processing, 1, 0, None, Invalid),
        None
    );
}
