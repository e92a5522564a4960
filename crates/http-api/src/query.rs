//! Reading query parameters strictly.

use std::collections::BTreeMap;

use lambda_http::{Request, RequestExt};
use percent_encoding::percent_decode_str;

use crate::ApiError;

/// The most items that one answer may be asked for.
pub const LIMIT_MAX: u16 = 1000;

/// The query parameters of a request, all of them known and none given twice.
#[derive(Debug)]
pub struct Parameters {
    parameters: BTreeMap<String, String>,
}

impl Parameters {
    /// Reads the query; values come decoded.
    ///
    /// # Errors
    /// 400 `invalid_parameter` for an unknown, repeated or empty parameter, and for escapes that are not
    /// UTF-8: decoded loosely, they would name something that the client did not.
    pub fn of(request: &Request, known: &[&str]) -> Result<Self, ApiError> {
        let mut parameters = BTreeMap::new();
        let raw = request.uri().query().unwrap_or_default();
        if percent_decode_str(raw).decode_utf8().is_err() {
            return Err(ApiError::invalid_parameter("the query is not UTF-8 behind its escapes"));
        }
        let query = request.query_string_parameters();
        for (name, value) in query.iter() {
            if !known.contains(&name) {
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                let name: String = name.chars().take(64).collect();
                return Err(ApiError::invalid_parameter(format!(
                    "there is no parameter `{name}`; known are {known}"
                )));
            }
            if value.is_empty() {
                let message = format!("the parameter `{name}` is empty; leave it out");
                return Err(ApiError::invalid_parameter(message));
            }
            if parameters.insert(name.to_owned(), value.to_owned()).is_some() {
                let message = format!("the parameter `{name}` is given twice");
                return Err(ApiError::invalid_parameter(message));
            }
        }
        Ok(Self { parameters })
    }

    /// Takes a parameter.
    pub fn take(&mut self, name: &str) -> Option<String> {
        self.parameters.remove(name)
    }

    /// Takes a parameter that must be there.
    ///
    /// # Errors
    /// 400 `invalid_parameter`.
    pub fn require(&mut self, name: &str) -> Result<String, ApiError> {
        self.take(name).ok_or_else(|| {
            ApiError::invalid_parameter(format!("the parameter `{name}` is required"))
        })
    }

    /// Takes `limit`: how many items to answer with.
    ///
    /// # Errors
    /// 400 `invalid_parameter` for anything but a number from 1 to [`LIMIT_MAX`].
    pub fn limit(&mut self, default: u16) -> Result<u16, ApiError> {
        let Some(text) = self.take("limit") else {
            return Ok(default);
        };
        let digits_only = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|limit| digits_only && (1..=LIMIT_MAX).contains(limit)).ok_or_else(
            || {
                ApiError::invalid_parameter(format!(
                    "`limit` must be a whole number from 1 to {LIMIT_MAX}"
                ))
            },
        )
    }

    /// Takes a parameter that is `true` or `false`; absent means `false`.
    ///
    /// # Errors
    /// 400 `invalid_parameter` for anything else.
    pub fn flag(&mut self, name: &str) -> Result<bool, ApiError> {
        match self.take(name).as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => {
                let message = format!("the parameter `{name}` must be `true` or `false`");
                Err(ApiError::invalid_parameter(message))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lambda_http::Body;

    #[track_caller]
    fn check(query: &str, expected: &str) {
        let request = lambda_http::http::Request::builder()
            .uri(format!("/?{query}"))
            .body(Body::Empty)
            .expect("a request")
            .with_query_string_parameters(
                query
                    .parse::<lambda_http::aws_lambda_events::query_map::QueryMap>()
                    .expect("a query"),
            );
        let found = Parameters::of(&request, &["genre", "limit", "deep"]).and_then(|mut it| {
            Ok(format!("{:?} {} {}", it.take("genre"), it.limit(100)?, it.flag("deep")?))
        });
        assert_eq!(found.unwrap_or_else(|error| error.to_string()), expected);
    }

    #[test]
    fn what_is_not_understood_is_refused_by_name() {
        let limit = "`limit` must be a whole number from 1 to 1000";
        check("", "None 100 false");
        check(
            "genre=Folk%2C%20World+%26%20Country&deep=true",
            "Some(\"Folk, World & Country\") 100 true",
        );
        check("limit=1", "None 1 false");
        check("limit=1000&deep=false", "None 1000 false");
        for wrong in ["0", "1001", "-1", "ten", "1.0", "+5", "99999999999999999999"] {
            check(&format!("limit={}", wrong.replace('+', "%2B")), limit);
        }
        check("limit=", "the parameter `limit` is empty; leave it out");
        check("limit=1&limit=1", "the parameter `limit` is given twice");
        check("genre=%ff", "the query is not UTF-8 behind its escapes");
        check("genre=%ED%A0%80", "the query is not UTF-8 behind its escapes");
        check("genre=100%25&limit=5", "Some(\"100%\") 5 false");
        check("Limit=1", "there is no parameter `Limit`; known are genre, limit, deep");
        check("deep=yes", "the parameter `deep` must be `true` or `false`");
    }
}
