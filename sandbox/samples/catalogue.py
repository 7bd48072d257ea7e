"""What the sample shop has on offer, and what its sheets say."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from sandbox.samples import letterings, scenes
from sandbox.samples.canvas import Canvas

Draw = Callable[[Canvas], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Design:
    """A drawing on sale. With `variants` it is sold as an archive of them all."""

    slug: str
    name: str
    price: str  # US dollars
    summary: str
    text: str
    tags: list[str]
    draw: Draw
    shirt: str  # the cloth it is shown on
    ground: str  # what the cloth lies on
    variants: dict[str, Draw] = field(default_factory=dict)
    is_framed: bool = True  # shown on a card and a shirt, else by the shop's own preview


@dataclass(frozen=True, kw_only=True, slots=True)
class Bundle:
    """Several designs in one archive."""

    slug: str
    name: str
    price: str
    summary: str
    text: str
    tags: list[str]
    members: list[str]  # slugs
    ground: str
    is_exclusive: bool = False


BAUHAUS = {
    "primary": ("#f2e9dc", "#e63946", "#1d3557", "#f4b942", "#2a9d8f"),
    "night": ("#0d1b2a", "#415a77", "#e0e1dd", "#778da9", "#f77f00"),
    "garden": ("#fefae0", "#606c38", "#dda15e", "#283618", "#bc6c25"),
}
RIDGES = {
    "white": ("#ffffff",),
    "sunset": ("#ffd166", "#f8961e", "#f3722c", "#f94144", "#b5179e", "#7209b7"),
    "aurora": ("#b7f7d8", "#52d1a9", "#2aa5b8", "#4a7bd0", "#7b5fd3"),
}

DESIGNS = [
    Design(
        slug="genesis-sunrise",
        name="Genesis Sunrise",
        price="12.00",
        summary="A striped sun over the hills on the day of the first block.",
        text="The third of January 2009, as it may have looked from a good chair.\n\n"
        "Two hills, one sun, no clouds. Made for **dark shirts**; the stripes are cut out, so the "
        "cloth shows through.",
        tags=["T-shirt", "Retro"],
        draw=scenes.genesis,
        shirt="#1c1430",
        ground="#ecdbe6",
    ),
    Design(
        slug="one-satoshi",
        name="One Satoshi",
        price="5.00",
        summary="The smallest coin, drawn as large as it goes.",
        text="A numeral with six shadows, for those who think in **small units**.\n\n"
        "Best on black, navy or deep purple.",
        tags=["T-shirt", "Type"],
        draw=letterings.one_sat,
        shirt="#16062b",
        ground="#d6e4f0",
    ),
    Design(
        slug="big-blocks",
        name="Big Blocks",
        price="14.00",
        summary="Thirty blocks in a heap, and room for more.",
        text="An isometric pyramid in three flat colours: quick to print, hard to topple.\n\n"
        "Works on **light shirts**; try sand or cream.",
        tags=["T-shirt", "Geometric"],
        draw=scenes.cubes,
        shirt="#fbf3df",
        ground="#bcd8d4",
    ),
    Design(
        slug="proof-of-work",
        name="Proof of Work",
        price="19.00",
        summary="A workers’ badge with two picks and a round of type.",
        text="For people who show up. The badge is **one solid piece**, so it can be printed, "
        "stitched or cut from vinyl.\n\n- dark teal, brass and bone\n- reads well from across the "
        "street",
        tags=["T-shirt", "Badge"],
        draw=letterings.proof,
        shirt="#86a39a",
        ground="#f1ede2",
    ),
    Design(
        slug="small-payments-make-big-waves",
        name="Small Payments",
        price="18.00",
        summary="Rolling waves of overlapping rings under a red sun.",
        text="After the old pattern of blue sea waves. Each ring is small; together they carry "
        "ships.\n\nMade for white and cream.",
        tags=["T-shirt", "Pattern"],
        draw=scenes.wave,
        shirt="#f6efdf",
        ground="#d9b8a7",
    ),
    Design(
        slug="merkle-tree",
        name="Trust the Root",
        price="24.00",
        summary="A tree whose twigs pair up, level by level, down to one root.",
        text="Sixteen leaves, eight pairs, four boughs, two limbs, **one root**: exactly what the "
        "header of a block commits to, with better foliage.",
        tags=["T-shirt", "Botanical"],
        draw=scenes.merkle,
        shirt="#f2ecdb",
        ground="#a9c3a0",
    ),
    Design(
        slug="node-runner",
        name="Node Runner",
        price="21.00",
        summary="Five stripes at full speed, and letters that keep up.",
        text="Straight from a sports shop of the eighties. The stripes through the letters are "
        "**cut out**.\n\nBlack, charcoal or midnight blue.",
        tags=["T-shirt", "Retro"],
        draw=letterings.runner,
        shirt="#191c20",
        ground="#f3d9a4",
    ),
    Design(
        slug="peer-to-peer",
        name="No One in Between",
        price="9.00",
        summary="Two circles, and what they share.",
        text="The whole idea in two circles and five words.\n\nFor white, cream and light grey.",
        tags=["T-shirt", "Geometric"],
        draw=letterings.peers,
        shirt="#fbf6ea",
        ground="#c5cdf2",
    ),
    Design(
        slug="halving-moon",
        name="Halving Moon",
        price="16.00",
        summary="The moon wanes by half and half again.",
        text="Five moons from full to a sliver, with the reward of each age beneath it. Fine lines "
        "and light type, for **dark shirts**.",
        tags=["T-shirt", "Night"],
        draw=scenes.moons,
        shirt="#1d1a3c",
        ground="#cdc8ea",
    ),
    Design(
        slug="paid-receipt",
        name="A Good Morning, Paid",
        price="11.00",
        summary="The bill of a good morning, settled in coins.",
        text="Coffee, a warm bun, the newspaper and a good word, all for 0.29. The paper is part "
        "of the print.",
        tags=["T-shirt", "Type"],
        draw=letterings.receipt,
        shirt="#2c4a3e",
        ground="#e7dcc3",
    ),
    Design(
        slug="low-fee-club",
        name="Low Fee Club",
        price="8.00",
        summary="A club anyone can afford to join.",
        text="Brick red and mustard on something light. **No dues, no dress code.**",
        tags=["T-shirt", "Badge"],
        draw=letterings.low_fee,
        shirt="#faf3dd",
        ground="#c9d6c3",
    ),
    Design(
        slug="global-ledger",
        name="Global Ledger",
        price="29.00",
        summary="One record round the world, for dark and for light shirts.",
        text="Nine towns, thirteen roads, one ledger.\n\nThe archive holds the full print and one "
        "of the globe alone.",
        tags=["T-shirt", "Set"],
        draw=scenes.globe,
        shirt="#0a2a33",
        ground="#d3e9e6",
        variants={"full": scenes.globe, "globe-alone": partial(scenes.globe, has_words=False)},
    ),
    Design(
        slug="block-by-block",
        name="Block by Block",
        price="32.00",
        summary="Thirty tiles dealt out by the hash of the first block, in three palettes.",
        text="Quarter circles, rings and squares. No tile was placed by hand: the **hash of the "
        "first block** chose them all.\n\nIn the archive: *primary*, *night* and *garden*.",
        tags=["T-shirt", "Geometric", "Set"],
        draw=partial(letterings.bauhaus, palette=BAUHAUS["primary"]),
        shirt="#fbfaf6",
        ground="#e3c6b4",
        variants={
            name: partial(letterings.bauhaus, palette=hues) for name, hues in BAUHAUS.items()
        },
    ),
    Design(
        slug="unguessable",
        name="Unguessable",
        price="27.00",
        summary="A mountain range nobody chose: every summit is a byte of a hash.",
        text="Twenty-six ridges, each grown from the hash of the one before.\n\nIn the archive: "
        "*white*, *sunset* and *aurora*, all for **dark shirts**.",
        tags=["T-shirt", "Night", "Set"],
        draw=partial(letterings.ridges, palette=RIDGES["white"]),
        shirt="#131316",
        ground="#cfd4da",
        variants={name: partial(letterings.ridges, palette=hues) for name, hues in RIDGES.items()},
    ),
    Design(
        slug="tiny-sats-stickers",
        name="Tiny Sats Stickers",
        price="3.00",
        summary="Six small rounds to print and cut out.",
        text="For the till, the toolbox and the lid of the laptop. Print on white paper that "
        "sticks, cut along the white edge.",
        tags=["Stickers"],
        draw=letterings.stickers,
        shirt="#ffffff",
        ground="#dfe6e9",
        is_framed=False,
    ),
]

BUNDLES = [
    Bundle(
        slug="studio-pack",
        name="Studio Pack: Five Designs",
        price="49.00",
        summary="Genesis Sunrise, Big Blocks, Proof of Work, Node Runner and Halving Moon.",
        text="Five prints at full size in one archive, for printers who like to have a choice on "
        "the rail.\n\nThe licence covers shirts, bags and posters, up to a thousand pieces.",
        tags=["T-shirt", "Set"],
        members=["genesis-sunrise", "big-blocks", "proof-of-work", "node-runner", "halving-moon"],
        ground="#20304a",
    ),
    Bundle(
        slug="exclusive-licence",
        name="Exclusive Licence: Trust the Root",
        price="250.00",
        summary="The tree is yours alone: files, rights, and our word not to sell it again.",
        text="For a brand that wants a mark of its own. The archive holds the print at full size "
        "and the **deed of exclusive licence**.\n\nA payment of this size is accepted after six "
        "confirmations.",
        tags=["Licence"],
        members=["merkle-tree"],
        ground="#2f4a33",
        is_exclusive=True,
    ),
]
