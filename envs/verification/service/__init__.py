"""The verifier service: one machine judges solutions for several trainers, over HTTP.

`docket` takes submissions and has them judged, in turn between clients, by worker processes; `app` is its HTTP
interface and `server` what listens; `client` is how a trainer asks.
"""
