"""A product as search engines read it (schema.org, JSON-LD)."""

from __future__ import annotations

from typing import Any

from app.services.catalog import ProductView
from config import Config


def product_data(product: ProductView, config: Config) -> dict[str, Any]:
    """The product and its offer, every address in full."""
    address = f"{config.public_url}/products/{product.slug}"
    data: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Product",
        "name": product.name,
        "url": address,
        "sku": product.slug,
        "offers": {
            "@type": "Offer",
            "url": address,
            "price": f"{product.price.major:f}",
            "priceCurrency": str(product.price.currency),
            "availability": "https://schema.org/InStock",
            "seller": {"@type": "Organization", "name": config.store_name},
        },
    }
    if product.summary:
        data["description"] = product.summary
    if product.pictures:
        data["image"] = [
            f"{config.public_url}/pictures/{shown.key}.webp" for shown in product.pictures
        ]
    return data
