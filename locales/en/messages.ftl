# What a dialog on an end user's desktop says about updates. Plain, warm, honest; no technical words.
# $product, $version, $newer, $server-version, $reason: as they are. $date and $time are written out already.

update-available = Version { $version } of { $product } is ready for you.
update-available-mandatory = Please install version { $version } of { $product } now to go on. The version you have should no longer be used.
update-available-server = There is an update for your { $product } server: version { $version }. Tell the person who looks after the server, or choose a time for it to be installed.
update-available-server-mandatory = Your { $product } server needs version { $version } soon: the version it has should no longer be used. Tell the person who looks after the server, or choose a time for it to be installed.
client-must-match-server = Your server works with version { $server-version } of { $product }. This program needs version { $version } to work with it.

up-to-date = { $product } is up to date.
server-version-required = Updates for this program depend on your { $product } server. Please connect to the server, then check again.
rollout-pending = There is nothing to install right now. A newer version of { $product } is being released step by step and will be offered to you soon.
rollout-paused = There is nothing to install right now. A newer version of { $product } is on hold for the moment and will be offered to you when it is ready.
rollout-halted = There is nothing to install right now. A newer version of { $product } has been held back because of a problem. You will be offered the next one that is ready.
no-path = There is a newer version of { $product }, but it cannot be installed over the one you have. Please contact support, who will help you further.
pinned = There is a newer version of { $product }, but your subscription is set to stay with an earlier one. If you would like to change that, please contact support.
current-yanked = The version of { $product } that you have was withdrawn. A replacement is not ready yet; it will be offered to you as soon as it is.

not-entitled-wrong-product = The license key that was entered belongs to another program. Please enter your license key for { $product }.
not-entitled-license-required = Version { $newer } of { $product } is available with an update subscription. Please enter your license key to install it.
not-entitled-expired = Your update subscription ended on { $date }. Renew it to install version { $newer } of { $product }.
not-entitled-suspended = Your update subscription is suspended, so version { $newer } of { $product } cannot be installed at the moment. Please contact support.
not-entitled-cancelled = Your update subscription was cancelled, so it does not include version { $newer } of { $product }. With a new subscription you can install it.
not-entitled-pending = Your update subscription begins on { $date }. From that day on you can install version { $newer } of { $product }.

deferred-outside-window = An update of { $product } is ready. It will be installed during the next time set aside for maintenance, from { $time }.
deferred-group-busy = An update of { $product } is ready. Other servers are being updated just now; this one follows when its turn comes.
managed = { $product } is kept up to date for you. There is nothing that you need to do.
incompatible-no-client = This program does not work with your { $product } server (version { $server-version }), and there is no version for this computer that does yet. Please contact the person who looks after the server.
incompatible-halted = This program does not work with your { $product } server (version { $server-version }). The version that does has been held back because of a problem. Please contact the person who looks after the server.
blocked-stopped = Updates of { $product } are stopped for the moment. { $reason }

# What to do when an update failed for a reason that is known.
help-antivirus = A virus scanner has kept the update of { $product } from its files. Allow { $product } and its updater in the scanner, or switch it off for a moment, then start the update again.
help-firewall = The update of { $product } could not reach the server. Please check your internet connection, and that no firewall or proxy blocks { $product }, then start the update again.
help-disk = There is not enough free space on the disk for the update of { $product }. Make some room, then start the update again.
help-rights = The update of { $product } is not allowed to change its files. Start it again as an administrator, or ask the person who looks after this computer.
