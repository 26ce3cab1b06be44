//! `log!`: a line through defmt, or nowhere.

/// Tells the host, when the image is built with the feature `defmt`.
#[macro_export]
macro_rules! log {
    ($($part:expr),+ $(,)?) => {{
        #[cfg(feature = "defmt")]
        defmt::info!($($part),+);
        #[cfg(not(feature = "defmt"))]
        let _ = ($(&$part,)+);
    }};
}
