"""What Electrum says: reads one JSON object of questions, writes one of answers.

`addresses`: extended public keys; answered by the first addresses of both branches of each.
`wallets`: the same keys; answered by the addresses of a wallet that is restored from each, as
`electrum restore` does it.
`links`: payment links; answered by address and satoshi, label and message, or `null` for a refused one.
`sign`: the extended private key of an account and a PSBT in base64; answered by both forms of the signed
transaction.
"""

import base64
import json
import os
import shutil
import sys
import tempfile

# Nothing of the person who runs this is read or written.
os.environ["HOME"] = tempfile.mkdtemp(prefix="electrum-")

from electrum import bip32, bitcoin, constants, keystore, util  # noqa: E402
from electrum.simple_config import SimpleConfig  # noqa: E402
from electrum.transaction import PartialTransaction  # noqa: E402
from electrum.wallet import restore_wallet_from_text  # noqa: E402

try:
    from electrum.bip21 import parse_bip21_URI
except ImportError:
    try:
        from electrum.util import parse_bip21_URI
    except ImportError:
        from electrum.util import parse_URI as parse_bip21_URI

COUNT = 20


def set_network(name):
    if hasattr(constants, "set_" + name):
        getattr(constants, "set_" + name)()
    else:
        {net.NET_NAME: net for net in constants.NETS_LIST}[name].set_as_network()


def addresses(key):
    kind = bip32.xpub_type(key)
    script = "p2pkh" if kind == "standard" else kind
    account = keystore.from_master_key(key)
    return [
        [
            bitcoin.pubkey_to_address(script, account.derive_pubkey(branch, index).hex())
            for index in range(COUNT)
        ]
        for branch in (0, 1)
    ]


def restored(key):
    config = SimpleConfig({"electrum_path": os.environ["HOME"], "offline": True})
    return restore_wallet_from_text(key, path=None, config=config)["wallet"]


def wallet(key):
    found = restored(key)
    if not found.is_watching_only():
        raise ValueError("a wallet of a public key that could sign")
    return [found.get_receiving_addresses(), found.get_change_addresses()]


def link(text):
    try:
        found = parse_bip21_URI(text)
    except Exception as refusal:
        print(text, repr(refusal), file=sys.stderr)
        return None
    return {name: found.get(name) for name in ("address", "amount", "label", "message")}


def sign(key, psbt):
    transaction = PartialTransaction.from_raw_psbt(base64.b64decode(psbt))
    restored(key).sign_transaction(transaction, None)
    return {
        "is_complete": transaction.is_complete(),
        "psbt": base64.b64encode(transaction.serialize_as_bytes(force_psbt=True)).decode(),
        "raw": transaction.serialize_to_network() if transaction.is_complete() else None,
    }


def main():
    questions = json.load(sys.stdin)
    set_network(questions["network"])
    # Wallets of Electrum want a loop in a thread, whatever they are asked.
    util.create_and_start_event_loop()
    answers = {
        "addresses": [addresses(key) for key in questions.get("addresses", [])],
        "wallets": [wallet(key) for key in questions.get("wallets", [])],
        "links": [link(text) for text in questions.get("links", [])],
    }
    if "sign" in questions:
        answers["sign"] = sign(**questions["sign"])
    print(json.dumps(answers), flush=True)
    shutil.rmtree(os.environ["HOME"], ignore_errors=True)
    # That thread would keep the process.
    os._exit(0)


main()
