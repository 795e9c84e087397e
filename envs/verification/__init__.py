"""Solutions judged outside episodes: by files in CI, or one by one for whoever asks.

`judged` is one solution's result, and who judges. Whether tasks are fair is the affair of `palestra.envs.certify`.
"""
