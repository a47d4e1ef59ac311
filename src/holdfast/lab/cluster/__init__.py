"""A small cluster for one region of the lab: the part of the Kubernetes API that Holdfast uses, over application instances that really run.

    python -m holdfast.lab.cluster --config FILE

The configuration is one JSON object:

    region           identifier of the region, such as "eu-west-1"
    listen           [host, port] of the API (plain HTTP; the lab stays on 127/8)
    token_file       the bearer token that callers must show
    namespace        the one namespace
    directory        folder for the settings file of the instances and their log; made when missing
    config_map       name of the ConfigMap that holds the application's settings
    settings         its first data, text to text:
                       database         "[postgresql://][USER@]HOST:PORT[/DATABASE]", USER and DATABASE default to voicehive
                       cache            "[redis://]HOST:PORT"
                       storage          "[http://]HOST:PORT[/BUCKET][?region=NAME]"
                       bucket           bucket, when `storage` does not name it
                       storage_region   when `storage` does not name it; defaults to the region
                       storage_retention_seconds  how long what is stored is held against removal; default "0": not at all
                       access_key       of the storage
                       partner          "[http://]HOST:PORT" of the PMS partner
                     The keys `database`, `cache` and `storage` are what `settings.update` changes.
    files            secrets by reference: {"database_password": PATH, "cache_password": PATH, "storage_secret_key": PATH}
    functions        function → {
                       "deployment": name of its Deployment (default: the function),
                       "replicas": how many at the start, "image": "voicehive/voice:2" (the tag is the version),
                       "address": host that its instances listen on, "ports": [first, last] (both included), or instead of both
                       "zones": [{"zone": name, "address": host there, "seen_as": the same as the cluster reaches it,
                       "ports": [first, last]}], over which instances are spread evenly,
                       "fresh_ports": [first, last], beside each "ports": where those of a second Deployment of the function listen,
                       "capacity": optional {"at_once": 9, "per_second": 10.5}; default in `holdfast.lab.application.capacity`}
    zones            optional: zone → {"listen": [host, port] where it says what runs in it: GET /healthz →
                       {"zone": name, "instances": {function: ready}}, status 503 when some run and none is ready,
                       "routes": {first bytes of an address in `settings`: first bytes of the same as seen from the zone}}

    load_balancer    optional: [host, port] of HAProxy's runtime API. Its backends are named like the functions, with a server `ZONE-N` for
                     the N-th of the zone's ports, and are kept to the set of instances that each function's Service selects

Each function has a Service of its Deployment's name. A Deployment made through the API runs the function that its image is of.

It prints one line to standard output when the API listens and the first instances are ready: `ready <region>`.
Nothing survives its end: instances are killed with it, and its next start begins from the configuration again.
"""
