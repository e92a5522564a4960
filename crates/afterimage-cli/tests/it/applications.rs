//! `seed` and `conversation`.

use embedded_dynamodb::Emulator;
use expect_test::expect;

use testkit::dynamodb::{product_names, product_tables};

use crate::program::{check, run};

async fn emulator() -> Emulator {
    let emulator = Emulator::in_memory().await.expect("an emulator");
    emulator.create_tables(&product_tables(), &product_names()).await.expect("tables");
    emulator
}

#[tokio::test(flavor = "multi_thread")]
async fn albums_come_from_the_sample_or_a_file() {
    let emulator = emulator().await;
    let endpoint = emulator.endpoint_url();
    let sample = run(&["seed", "albums", "--output", "json", "--endpoint", &endpoint]);
    assert_eq!(sample.code, Some(0), "{}", sample.stderr);
    let scanned = run(&["scan", "albums", "--endpoint", &endpoint]);
    let count = scanned.stdout.lines().count();
    assert_eq!(sample.stdout, format!("{{\"albums_written\":{count}}}\n"));
    assert!(count >= 90, "the sample has {count} albums");

    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("albums.csv");
    let path = file.to_str().expect("UTF-8");
    std::fs::write(&file, "Rank,Year,Album,Artist,Genre\n,1976,Zombie,Fela Kuti,Afrobeat\n")
        .expect("written");
    check(
        &endpoint,
        &["seed", "albums", "--file", path, "--endpoint", "ENDPOINT"],
        &expect![[r#"
            exit code 0
            1 albums written
        "#]],
    );
    std::fs::write(&file, "Rank,Year,Album,Artist,Genre\nfirst,,,Fela Kuti,\n").expect("written");
    let refused = run(&["seed", "albums", "--file", path, "--endpoint", &endpoint]);
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""));
    assert!(refused.stderr.contains("line 2"), "{}", refused.stderr);
    let unnamed = run(&["seed", "albums", "--file", "Cargo.toml", "--endpoint", &endpoint]);
    assert_eq!(unnamed.code, Some(2), "{}", unnamed.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn conversations_are_seeded_once_listed_and_shown() {
    let emulator = emulator().await;
    let endpoint = emulator.endpoint_url();
    check(
        &endpoint,
        &["seed", "messages", "--endpoint", "ENDPOINT"],
        &expect![[r#"
            exit code 0
            3 profiles, 2 conversations and 15 messages written
        "#]],
    );
    check(
        &endpoint,
        &["seed", "messages", "--endpoint", "ENDPOINT"],
        &expect![[r#"
            exit code 0
            0 profiles, 0 conversations and 0 messages written
        "#]],
    );
    check(
        &endpoint,
        &["conversation", "list", "ada-demo", "--endpoint", "ENDPOINT"],
        &expect![[r#"
            exit code 0
            CONVERSATION                          WITH      LAST MESSAGE AT                   LAST MESSAGE
            c0c0c0c0-0000-4000-8000-000000000002  lin-demo  2026-02-27T08:15:21.700042+00:00  Registered. Table 9, doors open at half past seven.
            c0c0c0c0-0000-4000-8000-000000000001  lin-demo  2026-02-25T12:15:42.318900+00:00  Mint. And leave room on the shelf.
        "#]],
    );
    check(
        &endpoint,
        &["conversation", "get", "c0c0c0c0-0000-4000-8000-000000000002", "--endpoint", "ENDPOINT"],
        &expect![[r#"
            exit code 0
            sam-demo 2026-02-26T09:00:04.112233+00:00 Quiz night on Saturday: the music round has forty questions and we are three people.
            lin-demo 2026-02-26T09:12:26.540001+00:00 I take everything with a synthesizer in it.
            ada-demo 2026-02-26T09:20:51.907766+00:00 Jazz and soul for me, as long as nobody asks about bass players.
            sam-demo 2026-02-26T09:21:17.334455+00:00 So I am left with metal. Again.
            lin-demo 2026-02-26T09:22:40.610010+00:00 You know the year of every AC/DC record. Own it.
            sam-demo 2026-02-26T17:48:39.050500+00:00 Fine. Team name? Register by tomorrow noon.
            ada-demo 2026-02-26T18:30:00.999999+00:00 "The Latest Rows". We always end up on top.
            sam-demo 2026-02-27T08:15:21.700042+00:00 Registered. Table 9, doors open at half past seven.
            consumed capacity: 1 read units
        "#]],
    );
    check(
        &endpoint,
        &["conversation", "get", "nowhere", "--endpoint", "ENDPOINT"],
        &expect![[r#"
            exit code 1
            on standard error:
            error: there is no message in the conversation nowhere
              next: find its uuid with `afterimage conversation list HANDLE`
        "#]],
    );
    check(
        &endpoint,
        &["conversation", "list", "nobody", "--endpoint", "ENDPOINT"],
        &expect![[r#"
            exit code 1
            on standard error:
            error: nobody has the handle `nobody`
        "#]],
    );
}
