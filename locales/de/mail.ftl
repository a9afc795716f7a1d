# E-Mails. Einfache, freundliche, ehrliche Worte; keine Fachsprache.

mail-run-succeeded-subject = { $product }: Das Update ist fertig
mail-run-succeeded = Das Update von { $product } auf Version { $version } ist fertig. Sie können sich wieder verbinden.
mail-run-failed-subject = { $product }: Das Update hat nicht geklappt
mail-run-failed = Das Update von { $product } auf Version { $version } hat nicht geklappt, und die bisherige Version ist noch nicht wieder da. Bitte verbinden Sie sich erst, wenn jemand danach gesehen hat.
mail-run-rolled-back = Das Update von { $product } auf Version { $version } hat nicht geklappt. Die bisherige Version ist wieder da; Sie können sich also wieder verbinden.
mail-class-network = Die Dateien konnten nicht heruntergeladen werden: Die Verbindung wurde unterbrochen oder verhindert.
mail-class-integrity = Was heruntergeladen wurde, war beschädigt und wurde deshalb nicht installiert.
mail-class-environment = Der Computer hat es nicht zugelassen: Vielleicht ist die Festplatte voll, es fehlen Rechte, oder ein anderes Programm hielt Dateien fest.
mail-class-users-connected = Es waren noch Leute verbunden, und das Update wollte ihre Arbeit nicht unterbrechen.
mail-class-backup = Die Daten konnten vorher nicht gesichert werden, und ohne Sicherung wird kein Update begonnen.
mail-class-installer = Die Installation selbst brach mit einem Fehler ab.
mail-class-migration = Die Daten konnten nicht in die Form gebracht werden, die die neue Version braucht.
mail-class-service-start = Die neue Version wurde installiert, ist aber nicht gestartet.
mail-class-data-loss = Vielleicht fehlen Daten. Bitte arbeiten Sie erst weiter, wenn jemand danach gesehen hat.
mail-class-internal = Das Programm, das Updates ausführt, hatte selbst einen Fehler.
mail-help = Hilfe finden Sie hier: { $link }
mail-run-why = Sie erhalten diese Nachricht, weil Ihre Adresse angegeben wurde, als das Update vereinbart wurde. Sie wurde automatisch verschickt.

mail-halted-subject = { $product } { $version }: Verteilung angehalten
mail-halted = Die Verteilung von { $product } { $version } wurde angehalten: Die Version wird niemandem mehr angeboten, bis sie wieder aufgenommen wird. Der Grund: { $reason }

mail-ending-subject = Abonnements, die bald enden: { $count }
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
mail-ending-more = Und so viele weitere: { $count }.
