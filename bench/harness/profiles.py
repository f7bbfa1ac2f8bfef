"""How the load looks. `keyed` profiles differ only in which page is hit: of interest where something is counted."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Profile:
    name: str
    title: str
    connections: int = 64
    pipeline: int = 1
    per_connection: int = 0
    keys: str = "hot"
    keyed: bool = False


PROFILES = (
    Profile("keep-64", "keep-alive, 64 connections, one hot page"),
    Profile("keep-512", "keep-alive, 512 connections, one hot page", connections=512),
    Profile("keep-4096", "keep-alive, 4 096 connections, one hot page", connections=4096),
    Profile("pipe-16", "16 requests pipelined, 64 connections, one hot page", pipeline=16),
    Profile("ten", "10 requests a connection, 64 at a time, one hot page", per_connection=10),
    Profile("one", "1 request a connection, 64 at a time, one hot page", per_connection=1),
    Profile("zipf", "keep-alive, 64 connections, Zipf over 10 000 pages", keys="zipf:10000", keyed=True),
    Profile("uniform", "keep-alive, 64 connections, uniform over 1 000 000 pages", keys="uniform:1000000", keyed=True),
    Profile("new", "keep-alive, 64 connections, every hit a page never seen before", keys="new", keyed=True),
)
