//! The routes of the template whose functions are there.

use serde_yaml_ng::Value;

use super::percent::percent_decoded;
use crate::template::resources_of_type;

/// A route of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Route {
    pub method: String,
    /// Segments in braces are parameters.
    pub path: String,
    /// The logical id of the function behind it.
    pub function: String,
    pub needs_token: bool,
}

/// Why the routes could not be read.
#[derive(Debug, thiserror::Error)]
pub enum RoutesError {
    /// The template is not YAML.
    #[error("template.yaml does not read")]
    Syntax(#[from] serde_yaml_ng::Error),
    /// A route has no method or no path.
    #[error("template.yaml: the route {route} of {function} needs a `Method` and a `Path`")]
    Incomplete {
        /// The function's logical id.
        function: String,
        /// The route's.
        route: String,
    },
}

/// The routes of an API.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Routes(Vec<Route>);

impl Routes {
    /// The routes of a template to functions that are there, in its order.
    ///
    /// # Errors
    /// [`RoutesError`] if a route does not read.
    pub(crate) fn of(template: &str, is_there: impl Fn(&str) -> bool) -> Result<Self, RoutesError> {
        let mut routes = Self::read(template)?;
        routes.0.retain(|route| is_there(&route.function));
        Ok(routes)
    }

    pub(super) fn read(template: &str) -> Result<Self, RoutesError> {
        let mut routes = Vec::new();
        for (function, properties) in resources_of_type(template, "AWS::Serverless::Function")? {
            let events = properties.get("Events").and_then(Value::as_mapping).cloned();
            for (name, event) in events.into_iter().flatten() {
                if event.get("Type").and_then(Value::as_str) != Some("HttpApi") {
                    continue;
                }
                let property = |wanted: &str| event.get("Properties")?.get(wanted).cloned();
                let text = |wanted: &str| property(wanted)?.as_str().map(str::to_owned);
                let incomplete = || RoutesError::Incomplete {
                    function: function.clone(),
                    route: name.as_str().map_or_else(|| format!("{name:?}"), str::to_owned),
                };
                routes.push(Route {
                    method: text("Method").ok_or_else(incomplete)?,
                    path: text("Path").ok_or_else(incomplete)?,
                    function: function.clone(),
                    needs_token: property("Auth").is_some(),
                });
            }
        }
        Ok(Self(routes))
    }

    /// The route of a request; `None` if there is none.
    pub(super) fn find(&self, method: &str, path: &str) -> Option<Match> {
        self.0.iter().filter(|route| route.method == method).find_map(|route| {
            let parameters = parameters(&route.path, path)?;
            Some(Match { route: route.clone(), parameters })
        })
    }
}

/// A route that a request took, with its path parameters, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Match {
    pub route: Route,
    pub parameters: Vec<(String, String)>,
}

fn parameters(pattern: &str, path: &str) -> Option<Vec<(String, String)>> {
    let (mut wanted, mut found) = (pattern.split('/'), path.split('/'));
    let mut parameters = Vec::new();
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return Some(parameters),
            (Some(wanted), Some(found)) => {
                let name = wanted.strip_prefix('{').and_then(|it| it.strip_suffix('}'));
                match name {
                    Some(name) if !found.is_empty() => {
                        parameters.push((name.to_owned(), percent_decoded(found)));
                    }
                    None if wanted == found => {}
                    Some(_) | None => return None,
                }
            }
            (Some(_), None) | (None, Some(_)) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::cors;
    use crate::template::{TEMPLATE, reference};

    #[test]
    fn cors_is_that_of_the_template() {
        let apis = resources_of_type(TEMPLATE, "AWS::Serverless::HttpApi").expect("YAML");
        let cors = &apis[0].1["CorsConfiguration"];
        let list = |name: &str| {
            let values = cors[name].as_sequence().expect("a list");
            values.iter().map(|it| it.as_str().expect("text")).collect::<Vec<_>>().join(",")
        };
        assert_eq!(list("AllowMethods"), cors::METHODS);
        assert_eq!(list("AllowHeaders"), cors::HEADERS);
        assert_eq!(
            cors["MaxAge"].as_u64().map(|it| it.to_string()).as_deref(),
            Some(cors::MAX_AGE_SECS)
        );
        assert_eq!(reference(&cors["AllowOrigins"][0]), Some("CorsOrigin"));
    }

    #[track_caller]
    fn check(method: &str, path: &str, expected: Option<(&str, &[&str], bool)>) {
        let found = Routes::read(TEMPLATE).expect("routes").find(method, path);
        let found = found.as_ref().map(|it| {
            let values: Vec<&str> = it.parameters.iter().map(|(_, value)| value.as_str()).collect();
            (it.route.function.as_str(), values, it.route.needs_token)
        });
        let expected =
            expected.map(|(name, values, needs_token)| (name, values.to_vec(), needs_token));
        assert_eq!(found, expected, "{method} {path}");
    }

    #[test]
    fn requests_find_their_route() {
        check("GET", "/api/albums", Some(("ListAlbums", &[], false)));
        check("PATCH", "/api/albums", None);
        check("GET", "/api/albums/", None);
        check("GET", "/api", None);
        check("GET", "/api/messages/a%20b", Some(("ListMessages", &["a b"], true)));
        check("GET", "/api/messages/", None);
        check("GET", "/api/messages/a/b", None);
        check("POST", "/api/messages", Some(("PostMessage", &[], true)));
    }

    #[test]
    fn a_route_without_a_path_is_refused() {
        let template = "Resources: {F: {Type: 'AWS::Serverless::Function', Properties: {Events: {R: {Type: HttpApi, Properties: {Method: GET}}}}}}";
        let error = Routes::read(template).expect_err("no path").to_string();
        assert_eq!(error, "template.yaml: the route R of F needs a `Method` and a `Path`");
    }
}
