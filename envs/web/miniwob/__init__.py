"""MiniWoB++: small pages, each with a thing to do, played in a real browser."""
