//! A private PostgreSQL server for the tests of one process: in a temporary folder, on a socket in it, as an
//! unprivileged user, gone when the process is.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use sea_orm::{ConnectionTrait as _, Database};
use tempfile::TempDir;

/// How long the server may take to start.
const START: Duration = Duration::from_secs(30);

/// A server that runs.
#[derive(Debug)]
pub struct Server {
    folder: TempDir,
    databases: AtomicUsize,
    /// Keeps the server's standard input open: it stops when that closes, however this process ends.
    _watched: Child,
}

/// The server of this process, started at the first call; nothing where no binaries are installed.
///
/// # Panics
/// With `CONUM_REQUIRE_SERVERS=1` and no binaries, or where a server does not start.
#[must_use]
pub fn server() -> Option<&'static Server> {
    static SERVER: LazyLock<Option<Server>> = LazyLock::new(|| {
        let binaries = binaries();
        let required = std::env::var("CONUM_REQUIRE_SERVERS").is_ok_and(|value| value == "1");
        assert!(binaries.is_some() || !required, "CONUM_REQUIRE_SERVERS=1, and PostgreSQL is not installed");
        binaries.map(|binaries| Server::start(&binaries))
    });
    SERVER.as_ref()
}

/// The folder of `initdb` and `postgres`: on the path, or where Debian puts the newest.
fn binaries() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let on_path =
        std::env::split_paths(&path).find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists());
    on_path.or_else(|| {
        let mut versions: Vec<_> =
            fs::read_dir("/usr/lib/postgresql").ok()?.flatten().map(|entry| entry.path().join("bin")).collect();
        versions.sort();
        versions.into_iter().rfind(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
    })
}

/// PostgreSQL refuses to run as root: then it runs as `postgres`, or as `nobody`.
fn as_unprivileged(command: &str) -> Command {
    if !is_root() {
        return Command::new(command);
    }
    let mut wrapped = Command::new("setpriv");
    wrapped.args(["--reuid", unprivileged(), "--regid", group(), "--clear-groups", command]);
    wrapped
}

fn is_root() -> bool {
    fs::read_to_string("/proc/self/status").is_ok_and(|status| status.lines().any(|line| line.starts_with("Uid:\t0\t")))
}

fn unprivileged() -> &'static str {
    let known = fs::read_to_string("/etc/passwd").unwrap_or_default();
    if known.lines().any(|line| line.starts_with("postgres:")) { "postgres" } else { "nobody" }
}

fn group() -> &'static str {
    if unprivileged() == "postgres" { "postgres" } else { "nogroup" }
}

impl Server {
    fn start(binaries: &Path) -> Self {
        let folder = tempfile::Builder::new().prefix("conum-pg").tempdir().expect("a temporary folder");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("permissions");
        if is_root() {
            let owner = format!("{}:{}", unprivileged(), group());
            let done = Command::new("chown").arg(owner).arg(folder.path()).status().expect("chown runs");
            assert!(done.success(), "chown failed");
        }
        let data = folder.path().join("data");
        let made = as_unprivileged(&binaries.join("initdb").to_string_lossy())
            .args(["--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C", "--username=conum", "-D"])
            .arg(&data)
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .output()
            .expect("initdb runs");
        assert!(made.status.success(), "initdb failed: {}", String::from_utf8_lossy(&made.stderr));
        let socket = folder.path().to_string_lossy().into_owned();
        // The shell stops the server when its own standard input closes, and takes its folder away: nobody else is left to.
        let script = format!(
            "'{}' -D '{}' -k '{socket}' -c listen_addresses= -c fsync=off -c max_connections=400 \
             >'{socket}/log' 2>&1 & server=$!; read -r _; kill -INT $server; wait $server; rm -rf '{socket}'",
            binaries.join("postgres").display(),
            data.display(),
        );
        let watched = as_unprivileged("sh")
            .args(["-c", &script])
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("sh runs");
        let began = Instant::now();
        while !folder.path().join(".s.PGSQL.5432").exists() || !accepts(folder.path()) {
            let log = || fs::read_to_string(folder.path().join("log")).unwrap_or_default();
            assert!(began.elapsed() < START, "PostgreSQL does not start: {}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { folder, databases: AtomicUsize::new(0), _watched: watched }
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://conum@localhost/{database}?host={}", self.folder.path().display())
    }

    /// A new, empty database; answers its URL.
    ///
    /// # Panics
    /// Where the server does not make one.
    pub async fn database(&self) -> String {
        let name = format!("conum_{}", self.databases.fetch_add(1, Ordering::SeqCst));
        let connection = Database::connect(self.url("postgres")).await.expect("a connection");
        connection.execute_unprepared(&format!("CREATE DATABASE {name}")).await.expect("a database");
        connection.close().await.expect("closed");
        self.url(&name)
    }
}

/// Whether the socket takes connections.
fn accepts(folder: &Path) -> bool {
    std::os::unix::net::UnixStream::connect(folder.join(".s.PGSQL.5432")).is_ok()
}
