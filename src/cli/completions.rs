//! Arguments of `completions`.

use clap::Args;
use clap_complete::Shell;

/// Arguments of `completions`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Completions {
    /// The shell: bash, zsh, fish, powershell or elvish
    #[arg(hide_possible_values = true)]
    pub shell: Shell,
}

const EXAMPLES: &str = "\
Examples:
  agentdiag completions bash > ~/.local/share/bash-completion/completions/agentdiag
  agentdiag completions zsh > \"${fpath[1]}/_agentdiag\"
  agentdiag completions fish > ~/.config/fish/completions/agentdiag.fish
  agentdiag completions powershell >> $PROFILE";
