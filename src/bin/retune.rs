//! The command line.

fn main() -> std::process::ExitCode {
    retune::cli::main()
}
