//! Numbers in canonical decimal, by arithmetic on digits.

/// The canonical decimal of a number: without exponent, sign of zero, or zeros that say nothing, so
/// that two numbers are equal if and only if these texts are. `None` if the text is not a decimal
/// number, or has an exponent beyond those of DynamoDB.
pub(super) fn canonical(text: &str) -> Option<String> {
    let mut characters = text.chars().peekable();
    let is_negative = characters.next_if(|it| matches!(it, '+' | '-')) == Some('-');
    // The number is `digits` times ten to the power of `exponent`.
    let mut digits: Vec<u32> = Vec::new();
    let mut exponent = 0_i64;
    let mut digit_count = 0;
    let mut is_fraction = false;
    loop {
        match characters.next() {
            None => break,
            Some('.') if !is_fraction => is_fraction = true,
            Some('e' | 'E') => {
                exponent += exponent_of(&characters.collect::<String>())?;
                break;
            }
            Some(character) if character.is_ascii_digit() => {
                digits.extend(character.to_digit(10));
                digit_count += 1;
                exponent -= i64::from(is_fraction);
            }
            Some(_) => return None,
        }
    }
    if digit_count == 0 {
        return None;
    }
    while digits.last() == Some(&0) {
        digits.pop();
        exponent += 1;
    }
    match digits.iter().position(|digit| *digit != 0) {
        Some(first) => written(is_negative, digits.split_off(first), exponent),
        None => Some("0".to_owned()),
    }
}

fn exponent_of(text: &str) -> Option<i64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_number = !unsigned.is_empty() && unsigned.chars().all(|it| it.is_ascii_digit());
    // What is beyond DynamoDB's range would only be long.
    text.parse::<i64>().ok().filter(|it| is_number && it.abs() < 1_000)
}

/// Writes the digits with the point where it belongs: zeros are pushed to the end until the last digit
/// is that of one, or to the beginning until there is a digit before the point.
fn written(is_negative: bool, mut digits: Vec<u32>, exponent: i64) -> Option<String> {
    digits.extend((0..exponent).map(|_| 0));
    let fraction_count = usize::try_from(exponent.min(0).abs()).ok()?;
    while digits.len() <= fraction_count {
        digits.insert(0, 0);
    }
    let point = digits.len() - fraction_count;
    let mut text = String::from(if is_negative { "-" } else { "" });
    for (place, digit) in digits.into_iter().enumerate() {
        if place == point {
            text.push('.');
        }
        text.push(char::from_digit(digit, 10)?);
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(texts: &[&str], expected: Option<&str>) {
        for text in texts {
            assert_eq!(canonical(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn equal_numbers_have_one_text() {
        check(&["0", "-0", "0.000", "-0e7", "00"], Some("0"));
        check(&["1980", "1980.0", "1.98E3", "01980", "198e1", "+1980", "19800e-1"], Some("1980"));
        check(&["-0.5", "-.5", "-5e-1", "-0.50"], Some("-0.5"));
        check(&["0.00012", "12E-5", "1.2e-4"], Some("0.00012"));
        check(&["100", "1e2", "1E+2", "100."], Some("100"));
        check(&["12.34", "1234e-2"], Some("12.34"));
    }

    #[test]
    fn other_texts_are_not_numbers() {
        check(&["", ".", "-", "e5", "1e", "1e+", "1 ", "0x10", "NaN", "1.2.3", "--1", "١"], None);
    }

    proptest! {
        #[test]
        fn shifting_the_point_and_the_exponent_changes_nothing(
            number in -999_999_999_999_i64..1_000_000_000_000,
            zeros in 0_usize..20,
        ) {
            let shifted = format!("{number}{}e-{zeros}", "0".repeat(zeros));
            let expected = number.to_string();
            prop_assert_eq!(canonical(&shifted), Some(expected.clone()));
            prop_assert_eq!(canonical(&expected), Some(expected.clone()));
            let small = canonical(&format!("{number}e-{zeros}")).expect("a number");
            prop_assert_eq!(canonical(&format!("{small}e{zeros}")), Some(expected));
        }
    }
}
