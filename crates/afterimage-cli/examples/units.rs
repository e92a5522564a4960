//! What a batch costs, in the units that `ReturnConsumedCapacity` reports, beside the least possible.
//!
//! `cargo run -p afterimage-cli --example units -- [ALBUMS.csv]`: one batch each, on an empty embedded
//! DynamoDB; with a file of albums, that list as one batch as well.

#![allow(clippy::print_stdout, reason = "a command prints its results")]

use std::collections::BTreeMap;
use std::time::Duration;

use afterimage::Views;
use afterimage_dynamodb::{BatchReport, Processor, StreamEvent};
use afterimage_schema::{Table, TableNames};
use albums::ALBUMS;
use anyhow::{Context as _, anyhow, ensure};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use embedded_dynamodb::Emulator;
use messages::MESSAGES;
use serde_json::{Value, json};
use tokio::time::Instant;

/// Changes of one group that share a transaction: 100 actions, one of which is the count.
const CHANGES_PER_TRANSACTION: usize = 99;

/// Units of one item of up to 1 KB in a transaction.
const TRANSACTION_UNITS: f64 = 2.0;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    println!(
        "{:<46}{:>8}{:>12}{:>8}{:>8}{:>12}{:>14}",
        "one batch of", "write", "per record", "least", "read", "per record", "transactions"
    );
    let one = messages(500, 1);
    print("500 messages of one conversation", &one, &run(&one, 1).await?.0, move_units(1));
    let many = messages(500, 500);
    let (report, emulator) = run(&many, 500).await?;
    print("500 messages of 500 conversations", &many, &report, move_units(500));
    let moved = moved_rows(&emulator.client()).await?;
    print(
        "the rows that these moved, as they come back",
        &moved,
        &process(&emulator.client(), &moved).await?,
        0.0,
    );
    let albums: Vec<_> =
        (0..1000).map(|it| album(it, &format!("{it}"), &format!("{}", it % 10))).collect();
    let groups = (0..10).map(|genre| (genre.to_string(), 100)).collect();
    print(
        "1,000 new albums of 10 genres",
        &albums,
        &run(&albums, 0).await?.0,
        count_units(&groups),
    );
    match std::env::args().nth(1) {
        None => println!("(no file of albums was given: the real list is left out)"),
        Some(path) => {
            let (albums, groups) = listed(&path)?;
            let label = format!("{} listed albums of {} genres", albums.len(), groups.len());
            print(&label, &albums, &run(&albums, 0).await?.0, count_units(&groups));
        }
    }
    Ok(())
}

fn print(label: &str, records: &[Value], report: &BatchReport, least: f64) {
    let consumed = report.consumption;
    let count = u32::try_from(records.len()).map_or(f64::NAN, f64::from);
    println!(
        "{label:<46}{:>8}{:>12.3}{:>8.3}{:>8}{:>12.3}{:>14}",
        consumed.write_units,
        consumed.write_units / count,
        least / count,
        consumed.read_units,
        consumed.read_units / count,
        consumed.transaction_count,
    );
}

/// The head, and for each of two rows a delete and a put, each with its index entry.
fn move_units(group_count: u32) -> f64 {
    f64::from(group_count) * (TRANSACTION_UNITS + 2.0 * (2.0 * TRANSACTION_UNITS + 2.0))
}

/// A ledger entry for each album, and each count as often as its albums fill transactions.
fn count_units(groups: &BTreeMap<String, usize>) -> f64 {
    let albums: usize = groups.values().sum();
    let touches: usize = groups.values().map(|it| it.div_ceil(CHANGES_PER_TRANSACTION)).sum();
    TRANSACTION_UNITS * u32::try_from(albums + touches).map_or(f64::NAN, f64::from)
}

/// Runs one batch on empty tables in which each conversation has two rows; gives the DynamoDB that has them too.
async fn run(records: &[Value], group_count: u32) -> anyhow::Result<(BatchReport, Emulator)> {
    let emulator = Emulator::in_memory().await?;
    let views = Views::compiled_in()?;
    let tables = views.all_tables();
    emulator.create_tables(&tables, &TableNames::defaults(&tables)?).await?;
    let client = emulator.client();
    for group in 0..group_count {
        put_rows(&client, group).await?;
    }
    let report = process(&client, records).await?;
    Ok((report, emulator))
}

async fn process(client: &Client, records: &[Value]) -> anyhow::Result<BatchReport> {
    let views = Views::compiled_in()?;
    let names = TableNames::defaults(&views.all_tables())?;
    let processor = Processor::new(client.clone(), views, names)?;
    let event: StreamEvent = serde_json::from_value(json!({ "Records": records }))?;
    let report = processor.process(&event, Instant::now() + Duration::from_secs(600)).await;
    ensure!(report.response().batch_item_failures.is_empty(), "a record failed");
    Ok(report)
}

/// The records of the rows as they stand: their stream brings each moved row to the processor again.
async fn moved_rows(client: &Client) -> anyhow::Result<Vec<Value>> {
    let scan = client.scan().table_name(MESSAGES.default_name());
    let mut items = scan.into_paginator().items().send();
    let mut records = Vec::new();
    while let Some(item) = items.next().await {
        let item = item.context("the rows could not be read")?;
        let text = |name: &str| match item.get(name) {
            Some(AttributeValue::S(text)) => Ok(json!({ "S": text })),
            _ => Err(anyhow!("a row has no text `{name}`")),
        };
        let keys = json!({ "pk": text("pk")?, "sk": text("sk")? });
        let image = item.keys().map(|name| Ok((name.clone(), text(name)?)));
        let image = Value::Object(image.collect::<anyhow::Result<_>>()?);
        let number = 1_000_000 + records.len() as u64;
        records.push(record_of_image(&MESSAGES, number, &keys, &image));
    }
    Ok(records)
}

async fn put_rows(client: &Client, group: u32) -> anyhow::Result<()> {
    for owner in ["ada", "lin"] {
        client
            .put_item()
            .table_name(MESSAGES.default_name())
            .item("pk", AttributeValue::S(format!("GRP#{owner}-{group}")))
            .item("sk", AttributeValue::S("2026-01-01T00:00:00.000000+00:00".to_owned()))
            .item("message_group_uuid", AttributeValue::S(format!("group-{group}")))
            .item("message", AttributeValue::S("before".to_owned()))
            .send()
            .await
            .context("a row could not be put")?;
    }
    Ok(())
}

fn messages(count: u64, group_count: u64) -> Vec<Value> {
    let message = |number: u64| {
        let keys = json!({
            "pk": {"S": format!("MSG#group-{}", number % group_count)},
            "sk": {"S": format!("2026-01-02T00:00:00.{number:06}+00:00")},
        });
        record(&MESSAGES, number, &keys, ("message", "a message of ordinary length"))
    };
    (0..count).map(message).collect()
}

fn album(number: u64, title: &str, genre: &str) -> Value {
    let keys = json!({"Artist": {"S": format!("artist {number}")}, "Album": {"S": title}});
    record(&ALBUMS, number, &keys, ("Genre", genre))
}

fn record(table: &Table, number: u64, keys: &Value, (name, text): (&str, &str)) -> Value {
    let mut image = keys.clone();
    if let Some(image) = image.as_object_mut() {
        image.insert(name.to_owned(), json!({ "S": text }));
    }
    record_of_image(table, number, keys, &image)
}

fn record_of_image(table: &Table, number: u64, keys: &Value, image: &Value) -> Value {
    let stream = format!("table/{}/stream/2026-01-01T00:00:00.000", table.default_name());
    json!({
        "eventName": "INSERT",
        "eventSourceARN": format!("arn:aws:dynamodb:us-east-1:000000000000:{stream}"),
        "dynamodb": {
            "Keys": keys, "NewImage": image, "SequenceNumber": format!("{:021}", number + 1),
        },
    })
}

/// The albums of a file as records, and how many each genre has.
fn listed(path: &str) -> anyhow::Result<(Vec<Value>, BTreeMap<String, usize>)> {
    let file = std::fs::read(path).with_context(|| format!("{path} cannot be read"))?;
    let mut records = Vec::new();
    let mut groups = BTreeMap::new();
    for (number, listed) in (0_u64..).zip(albums::import::csv(&file)?) {
        let Some(genre) = &listed.genre else { continue };
        records.push(album(number, listed.key.album(), genre.as_str()));
        *groups.entry(genre.as_str().to_owned()).or_insert(0) += 1;
    }
    Ok((records, groups))
}
