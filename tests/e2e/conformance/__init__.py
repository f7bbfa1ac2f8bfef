"""What RFC 9112 and RFC 9110 demand of a server, as data (cases) and the way it is checked (check)."""
