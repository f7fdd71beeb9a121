//! Why a baseline file was refused.

use crate::units::human::in_words;

/// Why a baseline file was refused.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    /// It could not be read.
    #[error("{path}: {source}")]
    Read {
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// It does not say what a baseline says.
    #[error("{path}:{line}:{column}: {message}; expected a file written by `agentdiag baseline`")]
    Parse {
        /// The file.
        path: String,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What was found.
        message: String,
    },
}

impl SavedError {
    pub(super) fn parse(path: &str, bytes: &[u8], error: &serde_json::Error) -> Self {
        let text = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        let message = match text.strip_suffix(&place).unwrap_or(&text) {
            _ if bytes.trim_ascii().is_empty() => "the file is empty".to_owned(),
            _ if error.is_eof() => "the file is cut off here".to_owned(),
            text if error.is_syntax() => format!("not JSON: {text}"),
            text => in_words(text),
        };
        Self::Parse {
            path: path.to_owned(),
            line: error.line(),
            column: error.column(),
            message,
        }
    }
}
