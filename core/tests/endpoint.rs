//! Properties of the endpoint grammar: the canonical text of an endpoint is an endpoint, the same one.

use omnimq_core::endpoint::Endpoint;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// The same cases on every run, unless `PROPTEST_RNG_SEED` names others.
fn config() -> ProptestConfig {
    let default = ProptestConfig::default();
    let rng_seed = match default.rng_seed {
        RngSeed::Random => RngSeed::Fixed(4),
        fixed => fixed,
    };
    ProptestConfig { rng_seed, failure_persistence: None, ..default }
}

fn canonical(text: &str) -> Result<String, TestCaseError> {
    let endpoint = Endpoint::parse(text).map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?;
    let shown = endpoint.to_string();
    prop_assert_eq!(Endpoint::parse(&shown), Ok(endpoint), "{} from {}", &shown, text);
    prop_assert_eq!(Endpoint::parse(&shown).map(|endpoint| endpoint.to_string()), Ok(shown.clone()));
    Ok(shown)
}

const HOST: &str = r"\*|[a-z][a-z0-9_.-]{0,20}|(25[0-5]|[1-9]?[0-9])(\.(25[0-5]|1[0-9][0-9]|[1-9]?[0-9])){3}|\[::1\]|\[fe80::[1-9a-f]{1,4}(%[a-z]{1,5}[0-9]?)?\]";
const PORT: &str = r"\*|0|[1-9][0-9]{0,3}|6553[0-5]";
const GROUPS: &str = r"239\.1\.[1-9]\.[1-9](,239\.1\.[1-9]\.[1-9]){0,2}(;239\.9\.9\.[1-9])?|ff15::[1-9a-f]{1,4}|\[ff15::7077:1\],ff02::1;\[ff02::2\]";

proptest! {
    #![proptest_config(config())]

    #[test]
    fn tcp_comes_back(source in prop::option::of(HOST), host in HOST, port in PORT) {
        let source = source.map_or(String::new(), |host| format!("{host}:*;"));
        let shown = canonical(&format!("tcp://{source}{host}:{port}"))?;
        prop_assert_eq!(shown.contains(';'), !source.is_empty());
    }

    #[test]
    fn multicast_comes_back(
        scheme in "e?pgm", interfaces in "([a-z]{2,5}[0-9]|10\\.0\\.0\\.[1-9]|fe80::1%eth0)?", groups in GROUPS, port in 1..=u16::MAX,
    ) {
        let shown = canonical(&format!("{scheme}://{interfaces};{groups}:{port}"))?;
        let tail = format!(":{port}");
        prop_assert!(shown.ends_with(&tail));
    }

    #[test]
    fn names_come_back_unchanged(scheme in "ipc|inproc|ipc://@x", name in r"[^\x00@*]{1,25}") {
        let text = if scheme.contains("://") { format!("{scheme}{name}") } else { format!("{scheme}://{name}") };
        prop_assert_eq!(canonical(&text)?, text);
    }

    #[test]
    fn ports_beyond_65535_are_refused(host in HOST, port in 65536..u64::MAX) {
        let text = format!("tcp://{host}:{port}");
        prop_assert!(Endpoint::parse(&text).is_err());
    }

    #[test]
    fn any_text_is_refused_or_comes_back(text in r"(tcp|udp|ipc|inproc|e?pgm)://[\]\[a-f0-9:;,.%*@/ -]{0,40}|.{0,40}") {
        if let Ok(endpoint) = Endpoint::parse(&text) {
            canonical(&text)?;
            prop_assert!(endpoint.for_bind().is_ok() || endpoint.for_connect().is_ok());
        }
    }
}
