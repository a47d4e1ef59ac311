"""The only loop: observe, decide, record intent, act, record outcome. It holds no policy: `conduct` says what to do."""
