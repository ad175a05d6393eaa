"""What the shop is like: its visits, the work that each step causes, its faults and its people."""

from typing import Final

# What a visit consists of, and how often. Few buy.
VISITS: Final = {
    "page_view": 0.22,
    "page_view page_view": 0.21,
    "page_view search page_view": 0.14,
    "page_view search page_view page_view search page_view": 0.13,
    "page_view page_view page_view page_view page_view": 0.09,
    "page_view search page_view add_to_cart page_view": 0.08,
    "page_view page_view signup page_view": 0.035,
    "page_view search page_view add_to_cart signup page_view": 0.025,
    "page_view page_view add_to_cart page_view checkout": 0.025,
    "page_view add_to_cart checkout purchase": 0.02,
    "page_view search page_view add_to_cart add_to_cart checkout purchase": 0.015,
    "page_view page_view add_to_cart signup checkout purchase page_view": 0.01,
}
# step -> (event, milliseconds after the step, how often)
WORK: Final = {
    "page_view": (
        ("page_view", 0, 1.0),
        ("http.server.request", 0, 1.0),
        ("cache_miss", 2, 0.22),
        ("db.query", 3, 0.8),
        ("db.query", 9, 0.25),
        ("render_frame", 40, 1.0),
        ("render_frame", 57, 0.95),
        ("render_frame", 73, 0.85),
        ("render_frame", 90, 0.7),
        ("render_frame", 107, 0.5),
        ("exception", 60, 0.03),
    ),
    "search": (
        ("search", 0, 1.0),
        ("http.server.request", 0, 1.0),
        ("db.query", 4, 1.0),
        ("render_frame", 80, 0.9),
    ),
    "add_to_cart": (
        ("add_to_cart", 0, 1.0),
        ("http.server.request", 1, 1.0),
        ("db.query", 5, 0.7),
    ),
    "signup": (("signup", 0, 1.0), ("http.server.request", 1, 1.0), ("db.query", 8, 1.0)),
    "checkout": (
        ("checkout", 0, 1.0),
        ("http.server.request", 1, 1.0),
        ("db.query", 6, 1.0),
        ("db.query", 14, 0.6),
    ),
    "purchase": (
        ("purchase", 0, 1.0),
        ("http.server.request", 1, 1.0),
        ("db.query", 7, 1.0),
        ("db.query", 19, 1.0),
    ),
    "session_start": (("session_start", 0, 1.0),),
    "session_end": (("session_end", 0, 1.0),),
}
# event -> (type, component, median milliseconds, spread, share of errors)
EVENTS: Final = {
    "page_view": ("behavioral", "web", 31.0, 0.66, 0.0),
    "search": ("behavioral", "search", 64.0, 0.8, 0.01),
    "add_to_cart": ("behavioral", "cart", 41.0, 0.6, 0.008),
    "signup": ("behavioral", "accounts", 118.0, 0.56, 0.012),
    "checkout": ("behavioral", "payments", 220.0, 0.55, 0.02),
    "purchase": ("behavioral", "payments", 310.0, 0.63, 0.015),
    "http.server.request": ("span", "api", 22.0, 1.1, 0.02),
    "db.query": ("span", "db", 2.1, 1.25, 0.004),
    "cache_miss": ("log", "session_store", 0.8, 1.0, 0.0),
    "render_frame": ("performance", "web", 7.4, 0.47, 0.0),
    "exception": ("error", "web", None, 0.0, 1.0),
    "session_start": ("session_start", "web", None, 0.0, 0.0),
    "session_end": ("session_end", "web", None, 0.0, 0.0),
}
FAULTS: Final = {
    "upstream timed out after 2000 ms": 5,
    "connection reset by peer": 2,
    "HTTP 503: no healthy backend for payments": 1,
    "could not serialize access due to concurrent update": 1,
}
SCRIPT_FAULTS: Final = {
    "TypeError: undefined is not a function": 5,
    "ChunkLoadError: loading chunk 7 failed": 3,
    "NetworkError when attempting to fetch resource": 3,
}
BAD_FAULTS: Final = {
    "deadlock detected on carts": 7,
    "upstream timed out after 2000 ms": 3,
}
TABLES: Final = {
    "page_view": "products",
    "search": "products",
    "add_to_cart": "carts",
    "signup": "accounts",
    "checkout": "carts",
    "purchase": "orders",
}
ROUTES: Final = {
    "page_view": "/products/{id}",
    "search": "/search",
    "add_to_cart": "/cart",
    "signup": "/signup",
    "checkout": "/checkout",
    "purchase": "/orders",
}
BROWSERS: Final = {"Chrome": 58, "Safari": 22, "Firefox": 11, "Edge": 7, "": 2}
COUNTRIES: Final = {"DE": 24, "US": 22, "FR": 12, "GB": 11, "TR": 8, "JP": 7, "BR": 6, "": 10}
QUERIES: Final = {
    "wool socks": 9,
    "lamp": 7,
    "grüner tee": 5,
    "ノート": 4,
    "🎄 lights": 4,
    "café": 3,
    "desk 120x60": 3,
    'mug "big"': 2,
}
