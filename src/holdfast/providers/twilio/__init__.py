"""Short messages and calls through an API in the shape of Twilio's."""
