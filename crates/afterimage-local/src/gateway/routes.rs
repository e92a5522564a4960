//! The routes: those of the template, which a test compares.

use super::event::percent_decoded;

/// A function behind a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FunctionName {
    ListAlbums,
    AddAlbum,
    UpdateAlbum,
    DeleteAlbum,
    ListGenres,
    ListMessageGroups,
    ListMessages,
    PostMessage,
}

/// A route of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Route {
    pub method: &'static str,
    /// Segments in braces are parameters.
    pub path: &'static str,
    pub function: FunctionName,
    pub needs_token: bool,
}

const fn route(method: &'static str, path: &'static str, function: FunctionName) -> Route {
    Route { method, path, function, needs_token: false }
}

const fn signed_in(method: &'static str, path: &'static str, function: FunctionName) -> Route {
    Route { method, path, function, needs_token: true }
}

/// Every route.
pub(super) const ROUTES: [Route; 8] = [
    route("GET", "/api/albums", FunctionName::ListAlbums),
    route("POST", "/api/albums", FunctionName::AddAlbum),
    route("PUT", "/api/albums", FunctionName::UpdateAlbum),
    route("DELETE", "/api/albums", FunctionName::DeleteAlbum),
    route("GET", "/api/genres", FunctionName::ListGenres),
    signed_in("GET", "/api/message_groups", FunctionName::ListMessageGroups),
    signed_in("GET", "/api/messages/{message_group_uuid}", FunctionName::ListMessages),
    signed_in("POST", "/api/messages", FunctionName::PostMessage),
];

/// A route that a request took, with its path parameters, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Match {
    pub route: Route,
    pub parameters: Vec<(&'static str, String)>,
}

/// The route of a request; `None` where there is none.
pub(super) fn find(method: &str, path: &str) -> Option<Match> {
    ROUTES.into_iter().filter(|route| route.method == method).find_map(|route| {
        parameters(route.path, path).map(|parameters| Match { route, parameters })
    })
}

fn parameters(pattern: &'static str, path: &str) -> Option<Vec<(&'static str, String)>> {
    let (mut wanted, mut found) = (pattern.split('/'), path.split('/'));
    let mut parameters = Vec::new();
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return Some(parameters),
            (Some(wanted), Some(found)) => {
                let name = wanted.strip_prefix('{').and_then(|it| it.strip_suffix('}'));
                match name {
                    Some(name) if !found.is_empty() => {
                        parameters.push((name, percent_decoded(found)));
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
    use serde_yaml_ng::Value;

    use super::*;
    use crate::gateway::cors;
    use crate::template::{TEMPLATE, reference, resources_of_type};

    #[test]
    fn the_routes_are_those_of_the_template() {
        let mut in_template = Vec::new();
        let functions = resources_of_type(TEMPLATE, "AWS::Serverless::Function").expect("YAML");
        for (name, function) in functions {
            let events = function.get("Events").and_then(Value::as_mapping).cloned();
            for (_, event) in events.into_iter().flatten() {
                if event["Type"] != "HttpApi" {
                    continue;
                }
                let route = &event["Properties"];
                let (method, path) = (route["Method"].as_str(), route["Path"].as_str());
                let (method, path) = (method.expect("a method"), path.expect("a path"));
                let needs_token = route.get("Auth").is_some();
                in_template.push(format!("{method} {path} {name} {needs_token}"));
            }
        }
        let mut here = ROUTES
            .map(|it| format!("{} {} {:?} {}", it.method, it.path, it.function, it.needs_token));
        here.sort();
        in_template.sort();
        assert_eq!(here.as_slice(), in_template);
    }

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
    fn check(method: &str, path: &str, expected: Option<(FunctionName, &[&str])>) {
        let found = find(method, path);
        let found = found.as_ref().map(|it| {
            let values: Vec<&str> = it.parameters.iter().map(|(_, value)| value.as_str()).collect();
            (it.route.function, values)
        });
        assert_eq!(
            found,
            expected.map(|(name, values)| (name, values.to_vec())),
            "{method} {path}"
        );
    }

    #[test]
    fn requests_find_their_route() {
        check("GET", "/api/albums", Some((FunctionName::ListAlbums, &[])));
        check("PATCH", "/api/albums", None);
        check("GET", "/api/albums/", None);
        check("GET", "/api", None);
        check("GET", "/api/messages/a%20b", Some((FunctionName::ListMessages, &["a b"])));
        check("GET", "/api/messages/", None);
        check("GET", "/api/messages/a/b", None);
        check("POST", "/api/messages", Some((FunctionName::PostMessage, &[])));
    }
}
