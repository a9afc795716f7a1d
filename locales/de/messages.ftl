# Was ein Dialog am Bildschirm über Updates sagt. Einfache, freundliche, ehrliche Worte; keine Fachsprache.

update-available = Version { $version } von { $product } ist für Sie bereit.
update-available-mandatory = Bitte installieren Sie jetzt Version { $version } von { $product }, um weiterzuarbeiten. Ihre bisherige Version sollte nicht mehr benutzt werden.
update-available-server = Für Ihren { $product }-Server gibt es ein Update: Version { $version }. Geben Sie der Person Bescheid, die den Server betreut, oder wählen Sie einen Zeitpunkt für die Installation.
update-available-server-mandatory = Ihr { $product }-Server braucht bald Version { $version }: Seine bisherige Version sollte nicht mehr benutzt werden. Geben Sie der Person Bescheid, die den Server betreut, oder wählen Sie einen Zeitpunkt für die Installation.
client-must-match-server = Ihr Server arbeitet mit Version { $server-version } von { $product }. Damit dieses Programm mit ihm arbeiten kann, braucht es Version { $version }.

up-to-date = { $product } ist auf dem neuesten Stand.
server-version-required = Updates für dieses Programm richten sich nach Ihrem { $product }-Server. Bitte verbinden Sie sich mit dem Server und suchen Sie dann erneut.
rollout-pending = Im Moment gibt es nichts zu installieren. Eine neue Version von { $product } wird nach und nach verteilt und Ihnen bald angeboten.
rollout-paused = Im Moment gibt es nichts zu installieren. Eine neue Version von { $product } wurde vorerst angehalten und wird Ihnen angeboten, sobald sie bereit ist.
rollout-halted = Im Moment gibt es nichts zu installieren. Eine neue Version von { $product } wurde wegen eines Problems zurückgehalten. Ihnen wird die nächste angeboten, die bereit ist.
no-path = Es gibt eine neuere Version von { $product }, sie lässt sich aber nicht über Ihre bisherige installieren. Bitte wenden Sie sich an den Kundendienst; dort hilft man Ihnen weiter.
pinned = Es gibt eine neuere Version von { $product }, Ihr Abonnement ist aber so eingestellt, dass es bei einer früheren bleibt. Wenn Sie das ändern möchten, wenden Sie sich bitte an den Kundendienst.
current-yanked = Ihre Version von { $product } wurde zurückgezogen. Ein Ersatz ist noch nicht bereit; er wird Ihnen angeboten, sobald es ihn gibt.

not-entitled-wrong-product = Der eingegebene Lizenzschlüssel gehört zu einem anderen Programm. Bitte geben Sie Ihren Lizenzschlüssel für { $product } ein.
not-entitled-license-required = Version { $newer } von { $product } gibt es mit einem Update-Abonnement. Bitte geben Sie Ihren Lizenzschlüssel ein, um sie zu installieren.
not-entitled-expired = Ihr Update-Abonnement ist am { $date } abgelaufen. Verlängern Sie es, um Version { $newer } von { $product } zu installieren.
not-entitled-suspended = Ihr Update-Abonnement ruht, deshalb kann Version { $newer } von { $product } im Moment nicht installiert werden. Bitte wenden Sie sich an den Kundendienst.
not-entitled-cancelled = Ihr Update-Abonnement wurde gekündigt und enthält Version { $newer } von { $product } deshalb nicht. Mit einem neuen Abonnement können Sie sie installieren.
not-entitled-pending = Ihr Update-Abonnement beginnt am { $date }. Von diesem Tag an können Sie Version { $newer } von { $product } installieren.

deferred-outside-window = Ein Update von { $product } ist bereit. Es wird in der nächsten Wartungszeit installiert, ab dem { $time }.
deferred-group-busy = Ein Update von { $product } ist bereit. Gerade werden andere Server aktualisiert; dieser folgt, sobald er an der Reihe ist.
managed = { $product } wird für Sie auf dem neuesten Stand gehalten. Sie brauchen nichts zu tun.
incompatible-no-client = Dieses Programm passt nicht zu Ihrem { $product }-Server (Version { $server-version }), und für diesen Computer gibt es noch keine passende Version. Bitte wenden Sie sich an die Person, die den Server betreut.
incompatible-halted = Dieses Programm passt nicht zu Ihrem { $product }-Server (Version { $server-version }). Die passende Version wurde wegen eines Problems zurückgehalten. Bitte wenden Sie sich an die Person, die den Server betreut.
blocked-stopped = Updates von { $product } sind im Moment angehalten. { $reason }

# Was zu tun ist, wenn eine Aktualisierung aus einem bekannten Grund nicht gelingt.
help-antivirus = Ein Virenscanner hat die Aktualisierung von { $product } an ihren Dateien gehindert. Erlauben Sie { $product } und seine Aktualisierung im Virenscanner, oder schalten Sie ihn kurz aus, und starten Sie die Aktualisierung dann noch einmal.
help-firewall = Die Aktualisierung von { $product } konnte den Server nicht erreichen. Bitte prüfen Sie die Internetverbindung und ob eine Firewall oder ein Proxy { $product } blockiert, und starten Sie die Aktualisierung dann noch einmal.
help-disk = Auf dem Datenträger ist nicht genug Platz für die Aktualisierung von { $product }. Schaffen Sie etwas Platz, und starten Sie die Aktualisierung dann noch einmal.
help-rights = Die Aktualisierung von { $product } darf ihre Dateien nicht ändern. Starten Sie sie noch einmal als Administrator, oder fragen Sie die Person, die sich um diesen Computer kümmert.
