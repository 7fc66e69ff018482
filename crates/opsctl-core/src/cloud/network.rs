//! The network's HTTP client: through the proxy that the process's environment names, but never to this machine itself.
//!
//! A sandbox or emulator on loopback must be met even where `HTTPS_PROXY` is set and `NO_PROXY` forgets `127.0.0.1`.

use std::{net::IpAddr, time::Duration};

use aws_smithy_http_client::{
    Builder, ConnectorBuilder,
    proxy::ProxyConfig,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
    },
    orchestrator::HttpRequest,
    runtime_components::RuntimeComponents,
};

/// Idle connections are dropped before the far side does so: a send is never tried twice, so it wants a live one.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// A client with its pool of connections; clones share it.
pub(super) fn client() -> SharedHttpClient {
    client_trusting(None)
}

/// The same that trusts these authorities alone, in PEM form; none: those of the system.
pub(super) fn client_trusting(authorities: Option<&[u8]>) -> SharedHttpClient {
    let trust = authorities.and_then(|pem| {
        let store = TrustStore::empty().with_pem_certificate(pem.to_vec());
        TlsContext::builder().with_trust_store(store).build().ok()
    });
    SharedHttpClient::new(Network {
        proxied: pooled(ProxyConfig::from_env, trust.clone()),
        direct: pooled(ProxyConfig::disabled, trust),
    })
}

fn pooled(proxy: fn() -> ProxyConfig, trust: Option<TlsContext>) -> SharedHttpClient {
    Builder::new().build_with_connector_fn(move |settings, components: Option<&RuntimeComponents>| {
        let mut connector = ConnectorBuilder::default()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .proxy_config(proxy())
            .pool_idle_timeout(IDLE_TIMEOUT);
        if let Some(trust) = &trust {
            connector = connector.tls_context(trust.clone());
        }
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector.build()
    })
}

#[derive(Debug, Clone)]
struct Network {
    proxied: SharedHttpClient,
    direct: SharedHttpClient,
}

impl HttpClient for Network {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let (settings, components) = (settings.clone(), components.clone());
        SharedHttpConnector::new(Choice { network: self.clone(), settings, components })
    }
}

/// Chooses when the request is there: only it says where to. The chosen client keeps its connector, made at first use.
#[derive(Debug)]
struct Choice {
    network: Network,
    settings: HttpConnectorSettings,
    components: RuntimeComponents,
}

impl HttpConnector for Choice {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = if is_loopback(request.uri()) { &self.network.direct } else { &self.network.proxied };
        client.http_connector(&self.settings, &self.components).call(request)
    }
}

fn is_loopback(uri: &str) -> bool {
    let host = uri.parse::<http::Uri>().ok().and_then(|uri| uri.host().map(str::to_owned)).unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_known_in_every_form() {
        for here in ["http://127.0.0.1:4566/", "http://localhost:80/x", "https://[::1]:9/", "http://127.9.9.9/"] {
            assert!(is_loopback(here), "{here}");
        }
        let there = ["https://sqs.eu-west-1.amazonaws.com/", "http://localhost.evil.example/", "http://10.0.0.1/", "x"];
        for there in there {
            assert!(!is_loopback(there), "{there}");
        }
    }
}
