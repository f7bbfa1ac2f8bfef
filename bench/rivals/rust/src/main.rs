//! Counts hits in a DashMap and adds them to Redis each second: `rival PORT REDIS_PORT`.
//! What was not answered by Redis is counted again; what Redis did and could not say is doubled.
//! `GET /stored` is the number of hits that Redis has answered for.

use std::{
    env,
    sync::{
        atomic::{AtomicU64, Ordering},
        Arc,
    },
    time::Duration,
};

use axum::{
    extract::{Path, State},
    http::StatusCode,
    routing::get,
    Router,
};
use dashmap::DashMap;
use redis::aio::MultiplexedConnection;
use tokio::signal::unix::{signal, SignalKind};

const KEYS_A_PIPELINE: usize = 2000;

#[derive(Default)]
struct Counts {
    hits: DashMap<String, u64>,
    stored: AtomicU64,
}

async fn hit(State(counts): State<Arc<Counts>>, Path((ns, key)): Path<(String, String)>) -> StatusCode {
    *counts.hits.entry(format!("tally:{ns}:{key}")).or_insert(0) += 1;
    StatusCode::NO_CONTENT
}

async fn stored(State(counts): State<Arc<Counts>>) -> String {
    counts.stored.load(Ordering::Relaxed).to_string()
}

async fn flush(counts: &Counts, redis: &mut MultiplexedConnection) {
    let keys: Vec<String> = counts.hits.iter().map(|one| one.key().clone()).collect();
    for some in keys.chunks(KEYS_A_PIPELINE) {
        let taken: Vec<(String, u64)> = some.iter().filter_map(|key| counts.hits.remove(key)).collect();
        let mut pipeline = redis::pipe();
        for (key, n) in &taken {
            pipeline.incr(key, *n).ignore();
        }
        let sum: u64 = taken.iter().map(|(_, n)| n).sum();
        match pipeline.query_async::<()>(redis).await {
            Ok(()) => {
                counts.stored.fetch_add(sum, Ordering::Relaxed);
            }
            Err(why) => {
                eprintln!("rival: {why}");
                for (key, n) in taken {
                    *counts.hits.entry(key).or_insert(0) += n;
                }
            }
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let ports: Vec<u16> = env::args().skip(1).map(|one| one.parse()).collect::<Result<_, _>>()?;
    let mut redis = redis::Client::open(format!("redis://127.0.0.1:{}/", ports[1]))?
        .get_multiplexed_async_connection()
        .await?;
    let counts = Arc::new(Counts::default());
    let app = Router::new()
        .route("/v1/hit/{ns}/{key}", get(hit).post(hit))
        .route("/stored", get(stored))
        .with_state(counts.clone());

    let flusher = {
        let (counts, mut redis) = (counts.clone(), redis.clone());
        tokio::spawn(async move {
            let mut second = tokio::time::interval(Duration::from_secs(1));
            loop {
                second.tick().await;
                flush(&counts, &mut redis).await;
            }
        })
    };
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", ports[0])).await?;
    let mut end = signal(SignalKind::terminate())?;
    axum::serve(listener, app)
        .with_graceful_shutdown(async move {
            end.recv().await;
        })
        .await?;
    flusher.abort();
    let _ = flusher.await;
    flush(&counts, &mut redis).await;
    Ok(())
}
