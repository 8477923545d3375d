//! A small HTTP/1.1 server on the loopback interface. It plays the two servers that the function calls: Lambda's runtime API
//! and DynamoDB.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::Arc,
    thread,
};

/// An HTTP request.
#[derive(Debug)]
pub(crate) struct Request {
    /// The client's port: the same for all requests of one connection.
    pub(crate) connection: u16,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// Returns the value of a header. `name` is in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }
}

/// How a server responds to a request.
#[derive(Clone, Debug)]
pub(crate) enum Response {
    /// An HTTP response.
    Answer { status: u16, headers: Vec<(&'static str, String)>, body: Vec<u8> },
    /// The end of the connection without a response.
    HangUp,
}

impl Response {
    /// Creates an answer of DynamoDB.
    pub(crate) fn from_dynamodb(status: u16, body: &str) -> Self {
        let headers = vec![
            ("content-type", "application/x-amz-json-1.0".to_owned()),
            ("x-amzn-requestid", "STUBREQUESTID".to_owned()),
        ];
        Self::Answer { status, headers, body: body.as_bytes().to_vec() }
    }
}

/// Starts a server that runs until the test process ends, and returns its address.
pub(crate) fn serve(respond: impl Fn(Request) -> Response + Send + Sync + 'static) -> SocketAddr {
    serve_with(Some, respond)
}

/// Starts a server like [`serve`], and applies `open` to each connection, which may add TLS.
pub(crate) fn serve_with<S: Read + Write>(
    open: impl Fn(TcpStream) -> Option<S> + Send + Sync + 'static,
    respond: impl Fn(Request) -> Response + Send + Sync + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = Arc::new((open, respond));
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let server = Arc::clone(&server);
            thread::spawn(move || {
                let port = connection.peer_addr().ok()?.port();
                // Nagle's algorithm would delay small answers by 40 ms.
                connection.set_nodelay(true).ok()?;
                handle_connection(server.0(connection)?, port, &server.1)
            });
        }
    });
    address
}

/// Responds to the requests of one connection until either side closes it.
fn handle_connection(
    stream: impl Read + Write,
    port: u16,
    respond: &impl Fn(Request) -> Response,
) -> Option<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let request = read_request(&mut reader, port)?;
        let Response::Answer { status, headers, body } = respond(request) else {
            return None;
        };
        let headers: String =
            headers.iter().map(|(name, value)| [*name, ": ", value, "\r\n"].concat()).collect();
        let head = format!("HTTP/1.1 {status} Test\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
        let bytes = [head.as_bytes(), &body].concat();
        reader.get_mut().write_all(&bytes).ok()?;
        reader.get_mut().flush().ok()?;
    }
}

fn read_request(reader: &mut impl BufRead, connection: u16) -> Option<Request> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let path = lines.first()?.split(' ').nth(1)?.to_owned();
    let headers: Vec<(String, String)> = lines
        .iter()
        .skip(1)
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.map_or(0, |(_, length)| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request { connection, path, headers, body })
}
