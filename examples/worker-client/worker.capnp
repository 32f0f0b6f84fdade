# For workerd, the runtime of Cloudflare's workers, on your own machine.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    # Without this, workers reach public addresses only.
    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:8080", http = (), service = "main")]
);

const worker :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  bindings = [(name = "RELAY", text = "http://127.0.0.1:3340/derp")],
  compatibilityDate = "2026-06-01"
);
