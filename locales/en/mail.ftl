# Mails. To the person who started an update: plain, warm, honest, no technical words. To the vendor's staff: short.
# $product, $version, $customer, $reason and $link are inserted unchanged; $date is formatted already; $days and $count
# are numbers.

mail-run-succeeded-subject = { $product }: update completed
mail-run-succeeded = The update of { $product } to version { $version } is complete. You can connect again.
mail-run-failed-subject = { $product }: update failed
mail-run-failed = The update of { $product } to version { $version } failed, and the previous version has not been restored yet. Please do not connect until someone has checked it.
mail-run-rolled-back = The update of { $product } to version { $version } failed. The previous version has been restored, so you can connect again.
mail-class-network = The files could not be downloaded: the connection was interrupted or blocked.
mail-class-integrity = The downloaded files were damaged, so they were not installed.
mail-class-environment = The computer did not allow it: its disk may be full, permissions may be missing, or another program may have been using the files.
mail-class-users-connected = Users were still connected, and the update did not interrupt their work.
mail-class-backup = The data could not be backed up first, and an update never starts without a backup.
mail-class-installer = The installation stopped with an error.
mail-class-migration = The data could not be converted for the new version.
mail-class-service-start = The new version was installed, but it did not start.
mail-class-data-loss = Data may be missing. Please do not continue working until someone has checked it.
mail-class-internal = The program that installs updates had an internal error.
mail-help = You can find help here: { $link }
mail-run-why = You receive this message because your address was entered when the update was scheduled. It was sent automatically.

mail-halted-subject = { $product } { $version }: the rollout was halted
mail-halted = The rollout of { $product } { $version } was halted: the version is not offered to anyone until the rollout is resumed. Reason: { $reason }

mail-ending-subject = Subscriptions ending soon: { $count }
mail-ending = These subscriptions end soon.
mail-ending-renews = { $customer }, { $product }: ends on { $date } ({ $days ->
    [0] today
    [one] in 1 day
   *[other] in { $days } days
}), to be renewed
mail-ending-stays = { $customer }, { $product }: ends on { $date } ({ $days ->
    [0] today
    [one] in 1 day
   *[other] in { $days } days
}), was cancelled, will not be renewed
mail-ending-more = { $count ->
    [one] And 1 more subscription.
   *[other] And { $count } more subscriptions.
}
