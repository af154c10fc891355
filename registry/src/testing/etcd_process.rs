//! A real etcd on free loopback ports.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;

use super::eventually;

const START_DEADLINE: Duration = Duration::from_secs(30);
/// Two processes may pick the same free port at once; then another try has others.
const START_TRIES: u32 = 5;

/// A one-node etcd with its own data; killed when dropped.
#[derive(Debug)]
pub struct EtcdProcess {
    client_port: u16,
    peer_port: u16,
    dir: TempDir,
    child: Child,
}

// === impl EtcdProcess ===

impl EtcdProcess {
    /// Starts etcd on an empty data directory and waits until it answers. Panics, with what to do, when it cannot.
    pub async fn start() -> Self {
        for _ in 0..START_TRIES {
            let (client_port, peer_port) = (free_port(), free_port());
            let dir = TempDir::new().expect("a temporary directory can be made");
            let child = spawn(client_port, peer_port, &dir);
            let mut etcd = Self { client_port, peer_port, dir, child };
            if etcd.wait_until_healthy().await {
                return etcd;
            }
        }
        panic!("etcd did not start {START_TRIES} times");
    }

    /// `127.0.0.1:port` for clients.
    pub fn endpoint(&self) -> String {
        format!("127.0.0.1:{}", self.client_port)
    }

    /// Address for `Registry::connect`.
    pub fn url(&self) -> String {
        format!("etcd://{}", self.endpoint())
    }

    /// Kills it as `kill -9` does; its data stays.
    pub fn kill(&mut self) {
        // An error means it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again on the same ports and data.
    pub async fn restart(&mut self) {
        self.kill();
        self.child = spawn(self.client_port, self.peer_port, &self.dir);
        assert!(self.wait_until_healthy().await, "etcd did not come back: {}", self.log());
    }

    /// Starts it again on the same ports with nothing in it, as after the loss of a disk.
    pub async fn restart_empty(&mut self) {
        self.kill();
        fs::remove_dir_all(self.dir.path().join("data")).expect("the data of a dead etcd can be removed");
        self.restart().await;
    }

    /// Stops it from answering, connections stay open (`kill -STOP`).
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(status.is_ok_and(|status| status.success()), "kill {signal} failed");
    }

    /// `false`: the process ended, most likely because another one took its port.
    async fn wait_until_healthy(&mut self) -> bool {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.client_port));
        let mut is_alive = true;
        let child = &mut self.child;
        eventually("etcd is healthy", START_DEADLINE, async || {
            is_alive = matches!(child.try_wait(), Ok(None));
            !is_alive || is_healthy(address).unwrap_or(false)
        })
        .await;
        is_alive
    }

    fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }
}

impl Drop for EtcdProcess {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn(client_port: u16, peer_port: u16, dir: &TempDir) -> Child {
    let (client, peer) = (format!("http://127.0.0.1:{client_port}"), format!("http://127.0.0.1:{peer_port}"));
    let log = File::create(dir.path().join("log")).expect("a log can be written beside the data");
    let data = dir.path().join("data");
    let mut command = Command::new("etcd");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("ETCD_") {
            command.env_remove(name);
        }
    }
    let started = command
        .args(["--name", "test", "--initial-cluster", &format!("test={peer}")])
        .args(["--listen-client-urls", &client, "--advertise-client-urls", &client])
        .args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer])
        // Faster elections than the default second: shorter shortest leases, shorter restarts.
        .args(["--heartbeat-interval", "50", "--election-timeout", "500"])
        .arg("--data-dir")
        .arg(data)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn();
    match started {
        Ok(child) => child,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            panic!("etcd is not on the PATH: run make test, which installs it")
        }
        Err(error) => panic!("etcd could not be started: {error}"),
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a loopback port is free");
    listener.local_addr().expect("a bound socket has an address").port()
}

/// etcd 3.4 has no `/livez`; `/health` is in all versions.
fn is_healthy(address: SocketAddr) -> io::Result<bool> {
    let timeout = Duration::from_millis(500);
    let mut stream = TcpStream::connect_timeout(&address, timeout)?;
    stream.set_read_timeout(Some(timeout))?;
    stream.write_all(b"GET /health HTTP/1.0\r\n\r\n")?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    Ok(reply.contains(r#""health":"true""#))
}
