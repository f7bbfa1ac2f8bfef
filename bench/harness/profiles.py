"""How the load looks. `keyed` profiles differ only in which page is hit: of interest where something is counted."""

import dataclasses


# What Chrome 142 sends with the fetch() of a page of another origin, in its order.
CHROME = "".join(line + "\r\n" for line in (
    "Connection: keep-alive", 'sec-ch-ua-platform: "Windows"',
    "User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    'sec-ch-ua: "Chromium";v="142", "Google Chrome";v="142", "Not_A Brand";v="99"', "sec-ch-ua-mobile: ?0", "Accept: */*",
    "Origin: https://www.example.org", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty",
    "Referer: https://www.example.org/", "Accept-Encoding: gzip, deflate, br, zstd", "Accept-Language: en-GB,en;q=0.9"))


@dataclasses.dataclass(frozen=True)
class Profile:
    name: str
    title: str
    connections: int = 64
    pipeline: int = 1
    per_connection: int = 0
    rate: int = 0  # requests due a second, or as many as are answered
    keys: str = "hot"
    head: str = ""  # further lines of each request
    keyed: bool = False


PROFILES = (
    Profile("keep-64", "keep-alive, 64 connections, one hot page"),
    Profile("keep-512", "keep-alive, 512 connections, one hot page", connections=512),
    Profile("keep-4096", "keep-alive, 4 096 connections, one hot page", connections=4096),
    Profile("pipe-16", "16 requests pipelined, 64 connections, one hot page", pipeline=16),
    Profile("ten", "10 requests a connection, 64 at a time, one hot page", per_connection=10),
    Profile("one", "1 request a connection, 64 at a time, one hot page", per_connection=1),
    Profile("chrome", f"keep-alive, 64 connections, one hot page, Chrome's head ({len(CHROME) + 66} bytes)", head=CHROME),
    Profile("zipf", "keep-alive, 64 connections, Zipf over 10 000 pages", keys="zipf:10000", keyed=True),
    Profile("uniform", "keep-alive, 64 connections, uniform over 1 000 000 pages", keys="uniform:1000000", keyed=True),
    Profile("uniform-16", "16 requests pipelined, 64 connections, uniform over 1 000 000 pages", pipeline=16, keys="uniform:1000000", keyed=True),
    Profile("rate-5k", "5 000 requests/s, 64 connections, one hot page", rate=5_000),
    Profile("rate-20k", "20 000 requests/s, 64 connections, one hot page", rate=20_000),
    Profile("rate-60k", "60 000 requests/s, 64 connections, one hot page", rate=60_000),
    Profile("new", "keep-alive, 64 connections, every hit a page never seen before", keys="new", keyed=True),
)
