# What a dialog on an end user's desktop says about updates: plain, warm, honest, no technical words.
# $product, $version, $newer, $server-version and $reason are inserted unchanged; $date and $time are formatted already.

update-available = Version { $version } of { $product } is ready to install.
update-available-mandatory = To continue, please install version { $version } of { $product } now. Your current version should no longer be used.
update-available-server = An update for your { $product } server is available: version { $version }. Tell the person who looks after the server, or choose a time to install it.
update-available-server-mandatory = Your { $product } server needs version { $version } soon: its current version should no longer be used. Tell the person who looks after the server, or choose a time to install it.
client-must-match-server = Your server runs version { $server-version } of { $product }. To work with it, this program needs version { $version }.

up-to-date = { $product } is up to date.
server-version-required = Updates for this program depend on your { $product } server. Please connect to the server, then check for updates again.
rollout-pending = There is nothing to install right now. A newer version of { $product } is being released gradually and will be offered to you soon.
rollout-paused = There is nothing to install right now. A newer version of { $product } is on hold and will be offered to you when it is ready.
rollout-halted = There is nothing to install right now. A newer version of { $product } was held back because of a problem. The next version will be offered to you when it is ready.
no-path = A newer version of { $product } is available, but it cannot be installed over your current version. Please contact support.
pinned = A newer version of { $product } is available, but your subscription is set to stay on an earlier one. To change this, please contact support.
current-yanked = Your version of { $product } was withdrawn. Its replacement is not ready yet; it will be offered to you as soon as possible.

not-entitled-wrong-product = This license key belongs to another program. Please enter your license key for { $product }.
not-entitled-license-required = Version { $newer } of { $product } is available with an update subscription. Please enter your license key to install it.
not-entitled-expired = Your update subscription ended on { $date }. Renew it to install version { $newer } of { $product }.
not-entitled-suspended = Your update subscription is suspended, so version { $newer } of { $product } cannot be installed right now. Please contact support.
not-entitled-cancelled = Your update subscription was cancelled, so it does not include version { $newer } of { $product }. With a new subscription you can install it.
not-entitled-pending = Your update subscription starts on { $date }. From that day on you can install version { $newer } of { $product }.

deferred-outside-window = An update for { $product } is ready. It will be installed at the next maintenance time, from { $time }.
deferred-group-busy = An update for { $product } is ready. Other servers are being updated right now; this one will follow when its turn comes.
managed = { $product } is kept up to date for you. You do not need to do anything.
incompatible-no-client = This program does not work with your { $product } server (version { $server-version }), and a version that does is not available for this computer yet. Please contact the person who looks after the server.
incompatible-halted = This program does not work with your { $product } server (version { $server-version }). The version that does was held back because of a problem. Please contact the person who looks after the server.
blocked-stopped = Updates of { $product } are stopped for the moment. { $reason }

# What to do when an update failed for a reason that is known.
help-antivirus = A virus scanner blocked the update of { $product }. Allow { $product } and its updater in the scanner, or turn the scanner off for a moment, then start the update again.
help-firewall = The update of { $product } could not reach the server. Check your internet connection, make sure that no firewall or proxy blocks { $product }, then start the update again.
help-disk = There is not enough free disk space for the update of { $product }. Free up some space, then start the update again.
help-rights = The update of { $product } does not have permission to change its files. Start it again as an administrator, or ask the person who looks after this computer.
