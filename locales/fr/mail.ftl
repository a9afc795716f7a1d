# Messages. Des mots simples, aimables et honnêtes. Les noms de produit ne suivent jamais « de ».

mail-run-succeeded-subject = { $product } : la mise à jour est terminée
mail-run-succeeded = La mise à jour du logiciel { $product } vers la version { $version } est terminée. Vous pouvez vous reconnecter.
mail-run-failed-subject = { $product } : échec de la mise à jour
mail-run-failed = La mise à jour du logiciel { $product } vers la version { $version } a échoué, et la version précédente n'est pas encore rétablie. Veuillez ne pas vous connecter avant que quelqu'un ait vérifié.
mail-run-rolled-back = La mise à jour du logiciel { $product } vers la version { $version } a échoué. La version précédente est rétablie ; vous pouvez vous reconnecter.
mail-class-network = Les fichiers n'ont pas pu être téléchargés : la connexion a été interrompue ou bloquée.
mail-class-integrity = Les fichiers téléchargés étaient endommagés ; ils n'ont donc pas été installés.
mail-class-environment = L'ordinateur ne l'a pas permis : le disque est peut-être plein, des autorisations manquent, ou un autre programme utilisait les fichiers.
mail-class-users-connected = Des utilisateurs étaient encore connectés, et la mise à jour n'a pas interrompu leur travail.
mail-class-backup = Les données n'ont pas pu être sauvegardées au préalable, et aucune mise à jour n'est lancée sans sauvegarde.
mail-class-installer = L'installation s'est arrêtée à cause d'une erreur.
mail-class-migration = Les données n'ont pas pu être converties pour la nouvelle version.
mail-class-service-start = La nouvelle version a été installée, mais elle n'a pas démarré.
mail-class-data-loss = Des données sont peut-être manquantes. Veuillez ne pas continuer à travailler avant que quelqu'un ait vérifié.
mail-class-internal = Le programme qui effectue les mises à jour a rencontré une erreur interne.
mail-help = Vous trouverez de l'aide ici : { $link }
mail-run-why = Vous recevez ce message parce que votre adresse a été indiquée lors de la planification de la mise à jour. Il a été envoyé automatiquement.

mail-halted-subject = { $product } { $version } : déploiement interrompu
mail-halted = Le déploiement du logiciel { $product } { $version } a été interrompu : cette version n'est plus proposée à personne jusqu'à la reprise du déploiement. Motif : { $reason }

mail-ending-subject = Abonnements arrivant bientôt à échéance : { $count }
mail-ending = Ces abonnements arrivent bientôt à échéance.
mail-ending-renews = { $customer }, { $product } : prend fin le { $date } ({ $days ->
    [0] aujourd'hui
    [1] dans 1 jour
   *[other] dans { $days } jours
}), à renouveler
mail-ending-stays = { $customer }, { $product } : prend fin le { $date } ({ $days ->
    [0] aujourd'hui
    [1] dans 1 jour
   *[other] dans { $days } jours
}), résilié et à ne pas renouveler
mail-ending-more = { $count ->
    [one] Et 1 autre abonnement.
   *[other] Et { $count } autres abonnements.
}
