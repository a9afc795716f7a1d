# E-Mails. Einfache, freundliche, ehrliche Worte; keine Fachsprache.

mail-run-succeeded-subject = { $product }: Update abgeschlossen
mail-run-succeeded = Das Update von { $product } auf Version { $version } ist abgeschlossen. Sie können sich wieder verbinden.
mail-run-failed-subject = { $product }: Update fehlgeschlagen
mail-run-failed = Das Update von { $product } auf Version { $version } ist fehlgeschlagen, und die vorherige Version wurde noch nicht wiederhergestellt. Bitte verbinden Sie sich erst wieder, wenn jemand das überprüft hat.
mail-run-rolled-back = Das Update von { $product } auf Version { $version } ist fehlgeschlagen. Die vorherige Version wurde wiederhergestellt; Sie können sich wieder verbinden.
mail-class-network = Die Dateien konnten nicht heruntergeladen werden: Die Verbindung wurde unterbrochen oder blockiert.
mail-class-integrity = Die heruntergeladenen Dateien waren beschädigt und wurden deshalb nicht installiert.
mail-class-environment = Der Computer hat es nicht zugelassen: Möglicherweise ist die Festplatte voll, es fehlen Berechtigungen, oder ein anderes Programm hat die Dateien verwendet.
mail-class-users-connected = Es waren noch Benutzer verbunden, und das Update hat ihre Arbeit nicht unterbrochen.
mail-class-backup = Die Daten konnten vorher nicht gesichert werden, und ohne Sicherung wird kein Update gestartet.
mail-class-installer = Die Installation wurde wegen eines Fehlers abgebrochen.
mail-class-migration = Die Daten konnten nicht für die neue Version konvertiert werden.
mail-class-service-start = Die neue Version wurde installiert, ist aber nicht gestartet.
mail-class-data-loss = Möglicherweise fehlen Daten. Bitte arbeiten Sie erst weiter, wenn jemand das überprüft hat.
mail-class-internal = Im Updateprogramm ist ein interner Fehler aufgetreten.
mail-help = Hilfe finden Sie hier: { $link }
mail-run-why = Sie erhalten diese Nachricht, weil Ihre Adresse bei der Planung des Updates angegeben wurde. Sie wurde automatisch gesendet.

mail-halted-subject = { $product } { $version }: Bereitstellung angehalten
mail-halted = Die Bereitstellung von { $product } { $version } wurde angehalten: Diese Version wird niemandem mehr angeboten, bis die Bereitstellung fortgesetzt wird. Grund: { $reason }

mail-ending-subject = Bald endende Abonnements: { $count }
mail-ending = Diese Abonnements enden bald.
mail-ending-renews = { $customer }, { $product }: endet am { $date } ({ $days ->
    [0] heute
    [one] in 1 Tag
   *[other] in { $days } Tagen
}), wird verlängert
mail-ending-stays = { $customer }, { $product }: endet am { $date } ({ $days ->
    [0] heute
    [one] in 1 Tag
   *[other] in { $days } Tagen
}), ist gekündigt und wird nicht verlängert
mail-ending-more = { $count ->
    [one] Und ein weiteres Abonnement.
   *[other] Und { $count } weitere Abonnements.
}
