//! What pages of other origins may do.

use serde_json::Value;

use super::of_type;

/// API Gateway answers a preflight by this configuration alone: a method or header that it does not list is one that no
/// page can use.
#[test]
fn pages_may_use_every_route_as_the_functions_have_it() {
    let apis = of_type("AWS::Serverless::HttpApi");
    let cors = &apis["HttpApi"]["Properties"]["CorsConfiguration"];
    let lists = |name: &str, value: &str| {
        let values = cors[name].as_array().expect("a list");
        values.iter().filter_map(Value::as_str).any(|it| it.eq_ignore_ascii_case(value))
    };
    assert_eq!(cors["AllowOrigins"], serde_json::json!(["CorsOrigin"]));
    assert!(lists("AllowMethods", "OPTIONS"));
    let mut route_count = 0;
    for (name, function) in of_type("AWS::Serverless::Function") {
        let events = function["Properties"]["Events"].as_object().cloned().unwrap_or_default();
        for event in events.values().filter(|it| it["Type"] == "HttpApi") {
            let route = &event["Properties"];
            let method = route["Method"].as_str().expect("a method");
            assert!(lists("AllowMethods", method), "{name}: {method}");
            // API Gateway answers the preflight itself only if no route takes it.
            assert!(!["OPTIONS", "ANY"].contains(&method), "{name}");
            if route["Auth"].is_object() {
                assert!(lists("AllowHeaders", "authorization"), "{name}");
            }
            // JSON is not one of the types that need no permission (<https://fetch.spec.whatwg.org/#cors-safelisted-request-header>).
            if ["POST", "PUT"].contains(&method) {
                assert!(lists("AllowHeaders", "content-type"), "{name}");
            }
            route_count += 1;
        }
    }
    assert!(route_count > 0);
    // No function answers with a header that a page could read only if it were exposed.
    assert!(cors["ExposeHeaders"].is_null());
}
