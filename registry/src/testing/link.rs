//! A TCP link between a client and a server that a test can cut and mend.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Listens on a loopback port and passes bytes on. Cut: open connections break, new ones are closed at once.
#[derive(Debug)]
pub struct Link {
    address: SocketAddr,
    is_whole: watch::Sender<bool>,
    _stop: DropGuard,
}

// === impl Link ===

impl Link {
    /// A whole link to `target` (`host:port`).
    pub async fn to(target: &str) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (is_whole, state) = watch::channel(true);
        let stop = CancellationToken::new();
        let accept = accept_all(listener, target.to_owned(), state);
        let task_stop = stop.clone();
        tokio::spawn(async move { task_stop.run_until_cancelled(accept).await });
        Ok(Self { address, is_whole, _stop: stop.drop_guard() })
    }

    /// `127.0.0.1:port` of this end.
    pub fn endpoint(&self) -> String {
        self.address.to_string()
    }

    /// Breaks all connections.
    pub fn cut(&self) {
        self.is_whole.send_replace(false);
    }

    /// Lets new connections through.
    pub fn mend(&self) {
        self.is_whole.send_replace(true);
    }
}

async fn accept_all(listener: TcpListener, target: String, state: watch::Receiver<bool>) {
    while let Ok((client, _)) = listener.accept().await {
        if *state.borrow() {
            tokio::spawn(pass_on(client, target.clone(), state.clone()));
        }
    }
}

async fn pass_on(mut client: TcpStream, target: String, mut state: watch::Receiver<bool>) {
    let Ok(mut server) = TcpStream::connect(target).await else {
        return;
    };
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
        _ = state.wait_for(|is_whole| !is_whole) => {}
    }
}
