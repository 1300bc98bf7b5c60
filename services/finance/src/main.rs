//! finance as a process of its own.

#[tokio::main]
async fn main() -> std::process::ExitCode {
    conum_service::lifecycle::exit(conum_service::lifecycle::main(conum_finance::SERVICE).await)
}
