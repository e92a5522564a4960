//! HTTP clients.

use std::net::IpAddr;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, ConnectorBuilder};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

/// The engine of TLS. Ring compiles in seconds; aws-lc, the SDK's own choice, in minutes.
const TLS: Provider = Provider::Rustls(CryptoMode::Ring);

/// The HTTP client for AWS: TLS with the certificates of the system, through the proxy that `HTTPS_PROXY`,
/// `HTTP_PROXY` and `NO_PROXY` name, as the SDK's own
/// (<https://docs.aws.amazon.com/sdk-for-rust/latest/dg/http.html>).
#[must_use]
pub fn https_client() -> SharedHttpClient {
    Builder::new().build_with_connector_fn(|settings, components| {
        let mut connector = ConnectorBuilder::default().tls_provider(TLS);
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector.set_proxy_config(Some(ProxyConfig::from_env()));
        connector.build()
    })
}

/// The HTTP client for an endpoint: one on this machine is reached without a proxy, since another machine's
/// `127.0.0.1` is not this one's; every other as AWS is.
#[must_use]
pub fn http_client_at_endpoint(endpoint_url: &str) -> SharedHttpClient {
    match endpoint_url.parse::<http::Uri>() {
        Ok(url) if is_loopback(&url) => match url.scheme_str() {
            Some("https") => Builder::new().tls_provider(TLS).build_https(),
            _ => Builder::new().build_http(),
        },
        Ok(_) | Err(_) => https_client(),
    }
}

fn is_loopback(url: &http::Uri) -> bool {
    let host = url.host().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse();
    address.is_ok_and(|it: IpAddr| it.is_loopback()) || host.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_reached_without_a_proxy() {
        let is_direct = |url: &str| url.parse().is_ok_and(|url| is_loopback(&url));
        for url in [
            "http://127.0.0.1:8000",
            "https://127.8.7.6/",
            "http://[::1]:8000",
            "http://localhost:8000",
            "https://LocalHost",
        ] {
            assert!(is_direct(url), "{url}");
        }
        for url in [
            "https://dynamodb.us-east-1.amazonaws.com",
            "http://10.0.0.1:8000",
            "http://localhost.example:8000",
            "http://127.0.0.1.example",
            "no URL",
        ] {
            assert!(!is_direct(url), "{url}");
        }
    }
}
