# Was ein Dialog am Bildschirm über Updates sagt. Einfache, freundliche, ehrliche Worte; keine Fachsprache.

update-available = Version { $version } von { $product } kann jetzt installiert werden.
update-available-mandatory = Bitte installieren Sie jetzt Version { $version } von { $product }, um fortzufahren. Ihre aktuelle Version sollte nicht mehr verwendet werden.
update-available-server = Für Ihren { $product }-Server ist ein Update verfügbar: Version { $version }. Informieren Sie die Person, die den Server betreut, oder wählen Sie einen Zeitpunkt für die Installation.
update-available-server-mandatory = Ihr { $product }-Server benötigt bald Version { $version }: Seine aktuelle Version sollte nicht mehr verwendet werden. Informieren Sie die Person, die den Server betreut, oder wählen Sie einen Zeitpunkt für die Installation.
client-must-match-server = Auf Ihrem Server läuft Version { $server-version } von { $product }. Damit dieses Programm mit dem Server funktioniert, wird Version { $version } benötigt.

up-to-date = { $product } ist auf dem neuesten Stand.
server-version-required = Welche Updates dieses Programm erhält, hängt von Ihrem { $product }-Server ab. Bitte verbinden Sie sich mit dem Server und suchen Sie dann erneut nach Updates.
rollout-pending = Zurzeit gibt es nichts zu installieren. Eine neue Version von { $product } wird schrittweise bereitgestellt und Ihnen bald angeboten.
rollout-paused = Zurzeit gibt es nichts zu installieren. Die Bereitstellung einer neuen Version von { $product } wurde angehalten. Die Version wird Ihnen angeboten, sobald sie bereit ist.
rollout-halted = Zurzeit gibt es nichts zu installieren. Eine neue Version von { $product } wurde wegen eines Problems zurückgehalten. Die nächste Version wird Ihnen angeboten, sobald sie bereit ist.
no-path = Eine neuere Version von { $product } ist verfügbar, kann aber nicht über Ihre aktuelle Version installiert werden. Bitte wenden Sie sich an den Support.
pinned = Eine neuere Version von { $product } ist verfügbar, Ihr Abonnement ist aber auf eine frühere Version festgelegt. Wenn Sie das ändern möchten, wenden Sie sich bitte an den Support.
current-yanked = Ihre Version von { $product } wurde zurückgezogen. Eine Ersatzversion ist noch nicht bereit; sie wird Ihnen so bald wie möglich angeboten.

not-entitled-wrong-product = Der eingegebene Lizenzschlüssel gehört zu einem anderen Programm. Bitte geben Sie Ihren Lizenzschlüssel für { $product } ein.
not-entitled-license-required = Version { $newer } von { $product } ist mit einem Update-Abonnement verfügbar. Geben Sie Ihren Lizenzschlüssel ein, um sie zu installieren.
not-entitled-expired = Ihr Update-Abonnement ist am { $date } abgelaufen. Verlängern Sie es, um Version { $newer } von { $product } zu installieren.
not-entitled-suspended = Ihr Update-Abonnement ist ausgesetzt, deshalb kann Version { $newer } von { $product } zurzeit nicht installiert werden. Bitte wenden Sie sich an den Support.
not-entitled-cancelled = Ihr Update-Abonnement wurde gekündigt und umfasst Version { $newer } von { $product } deshalb nicht. Mit einem neuen Abonnement können Sie sie installieren.
not-entitled-pending = Ihr Update-Abonnement beginnt am { $date }. Ab diesem Tag können Sie Version { $newer } von { $product } installieren.

deferred-outside-window = Ein Update für { $product } ist bereit. Es wird im nächsten Wartungsfenster installiert, ab dem { $time }.
deferred-group-busy = Ein Update für { $product } ist bereit. Zurzeit werden andere Server aktualisiert; dieser folgt, sobald er an der Reihe ist.
managed = { $product } wird automatisch auf dem neuesten Stand gehalten. Sie müssen nichts tun.
incompatible-no-client = Dieses Programm ist nicht mit Ihrem { $product }-Server (Version { $server-version }) kompatibel, und für diesen Computer ist noch keine kompatible Version verfügbar. Bitte wenden Sie sich an die Person, die den Server betreut.
incompatible-halted = Dieses Programm ist nicht mit Ihrem { $product }-Server (Version { $server-version }) kompatibel. Die kompatible Version wurde wegen eines Problems zurückgehalten. Bitte wenden Sie sich an die Person, die den Server betreut.
blocked-stopped = Updates für { $product } sind vorübergehend ausgesetzt. { $reason }

# Was zu tun ist, wenn eine Aktualisierung aus einem bekannten Grund nicht gelingt.
help-antivirus = Ein Virenschutzprogramm hat das Update von { $product } blockiert. Lassen Sie { $product } und sein Updateprogramm im Virenschutz zu, oder schalten Sie den Virenschutz vorübergehend aus, und starten Sie das Update dann erneut.
help-firewall = Das Update von { $product } konnte den Server nicht erreichen. Überprüfen Sie Ihre Internetverbindung und ob eine Firewall oder ein Proxy { $product } blockiert, und starten Sie das Update dann erneut.
help-disk = Für das Update von { $product } ist nicht genügend Speicherplatz verfügbar. Geben Sie Speicherplatz frei, und starten Sie das Update dann erneut.
help-rights = Das Update von { $product } hat keine Berechtigung, seine Dateien zu ändern. Starten Sie es erneut als Administrator, oder wenden Sie sich an die Person, die diesen Computer betreut.
