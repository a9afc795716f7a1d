# Mails. To the person who started an update: plain, warm, honest; no technical words. To the vendor's staff: short.
# $product, $version, $customer, $reason, $link: as they are. $date is written out already; $days and $count are numbers.

mail-run-succeeded-subject = { $product }: the update is done
mail-run-succeeded = The update of { $product } to version { $version } is done. You may connect again.
mail-run-failed-subject = { $product }: the update did not work
mail-run-failed = The update of { $product } to version { $version } did not work, and the earlier version is not back yet. Please wait until somebody has looked at it before you connect.
mail-run-rolled-back = The update of { $product } to version { $version } did not work. The earlier version is back, so you may connect again.
mail-class-network = The files could not be downloaded: the connection was interrupted or blocked.
mail-class-integrity = What was downloaded was damaged, so it was not installed.
mail-class-environment = The computer did not allow it: its disk may be full, rights may be missing, or another program may have held on to files.
mail-class-users-connected = People were still connected, and the update did not want to interrupt their work.
mail-class-backup = The data could not be backed up first, and without a backup no update is begun.
mail-class-installer = The installation itself stopped with an error.
mail-class-migration = The data could not be brought into the form that the new version needs.
mail-class-service-start = The new version was installed, but it did not start.
mail-class-data-loss = Data may be missing. Please do not go on working before somebody has looked at it.
mail-class-internal = The program that carries out updates had a fault of its own.
mail-help = You find help here: { $link }
mail-run-why = You get this message because your address was given when the update was arranged. It was sent automatically.

mail-halted-subject = { $product } { $version }: the rollout was halted
mail-halted = The rollout of { $product } { $version } was halted: it is offered to nobody any more until it is resumed. The reason: { $reason }

mail-ending-subject = Subscriptions that are about to end: { $count }
mail-ending = These subscriptions are about to end.
mail-ending-renews = { $customer }, { $product }: ends on { $date } ({ $days ->
    [0] today
    [one] in 1 day
   *[other] in { $days } days
}), to be renewed
mail-ending-stays = { $customer }, { $product }: ends on { $date } ({ $days ->
    [0] today
    [one] in 1 day
   *[other] in { $days } days
}), was cancelled and is not to be renewed
mail-ending-more = And so many more: { $count }.
