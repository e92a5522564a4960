//! One page of an answer, out of as many pages of the store as it takes.

use std::future::Future;

use serde_json::value::RawValue;

use crate::{Item, Origin, StoreError};

/// The most bytes of items in one answer; a page ends early where they are reached. A Lambda may
/// answer 6 MB (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
pub const PAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What one Query or Scan gave.
#[derive(Debug)]
pub struct Read {
    /// The items, in the order of the store.
    pub items: Vec<Item>,
    /// `LastEvaluatedKey`: absent at the end, and only there.
    pub next: Option<Item>,
}

/// One page of an answer.
#[derive(Debug, Default)]
pub struct Page {
    /// The items as plain JSON, in the order of the store.
    pub items: Vec<Box<RawValue>>,
    /// The last item of the page, if more follow it: where the cursor stands.
    pub last: Option<Item>,
}

/// Reads until the page is full or the store has no more. One item more than `limit` is asked for,
/// so that there is a cursor exactly where another item follows.
///
/// `read` reads from `origin`, and is given the key to start behind and how many items to evaluate.
///
/// # Errors
/// What `read` fails with, and [`StoreError::Malformed`] for an item that JSON cannot show.
pub async fn read_page<F, Reading>(
    origin: Origin<'_>,
    limit: u16,
    start: Option<Item>,
    mut read: F,
) -> Result<Page, StoreError>
where
    F: FnMut(Option<Item>, i32) -> Reading,
    Reading: Future<Output = Result<Read, StoreError>>,
{
    let mut page = Page::default();
    let mut last = None;
    let mut room = limit;
    let mut bytes = 0;
    let mut next = start;
    loop {
        let found = read(next.take(), i32::from(room) + 1).await?;
        for item in found.items {
            let json = origin.plain_json(&item)?;
            bytes += json.get().len();
            if room == 0 || (bytes > PAGE_BYTES_MAX && last.is_some()) {
                page.last = last;
                return Ok(page);
            }
            room -= 1;
            page.items.push(json);
            last = Some(item);
        }
        if found.next.is_none() {
            return Ok(page);
        }
        next = found.next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::types::AttributeValue;

    const ORIGIN: Origin<'_> = Origin { table: "t", key: ["pk", "sk"] };

    fn item(name: &str) -> Item {
        Item::from([("sk".to_owned(), AttributeValue::S(name.to_owned()))])
    }

    /// A store of these items that gives at most `page_items` at once, and an empty page first.
    async fn check(items: &[&str], page_items: usize, limit: u16, expected: &str) {
        let mut asked_empty = false;
        let page = read_page(ORIGIN, limit, None, |start, count| {
            let from = match &start {
                None => 0,
                Some(key) => {
                    let name = key.get("sk").and_then(|name| name.as_s().ok());
                    items
                        .iter()
                        .position(|it| Some(*it) == name.map(String::as_str))
                        .map_or(0, |at| at + 1)
                }
            };
            let count = if asked_empty {
                page_items.min(usize::try_from(count).expect("positive"))
            } else {
                0
            };
            asked_empty = true;
            let taken: Vec<Item> = items.iter().skip(from).take(count).map(|it| item(it)).collect();
            let at_end = from + taken.len() == items.len();
            let next = (!at_end).then(|| taken.last().cloned().unwrap_or_default());
            async move { Ok(Read { items: taken, next }) }
        })
        .await
        .expect("a page");
        let shown: Vec<&str> = page.items.iter().map(|it| it.get()).collect();
        let last = page.last.map(|it| ORIGIN.plain_json(&it).expect("JSON").to_string());
        let shown_names =
            shown.iter().map(|it| it.chars().filter(char::is_ascii_digit).collect::<String>());
        let found =
            format!("{} / {}", shown_names.collect::<Vec<_>>().join(""), last.unwrap_or_default());
        assert_eq!(found, expected);
    }

    #[tokio::test]
    async fn there_is_a_cursor_exactly_where_more_follows() {
        check(&["1", "2", "3"], 1, 2, r#"12 / {"sk":"2"}"#).await;
        check(&["1", "2", "3"], 2, 3, "123 / ").await;
        check(&["1", "2", "3"], 9, 9, "123 / ").await;
        check(&["1", "2", "3"], 9, 1, r#"1 / {"sk":"1"}"#).await;
    }

    #[tokio::test]
    async fn a_page_ends_early_where_its_bytes_end() {
        let long = "x".repeat(PAGE_BYTES_MAX / 3);
        let page = read_page(ORIGIN, 10, None, |_, _| {
            let items = vec![item(&long), item(&long), item(&long), item(&long)];
            async { Ok(Read { items, next: None }) }
        })
        .await
        .expect("a page");
        assert_eq!((page.items.len(), page.last.is_some()), (2, true));
    }
}
