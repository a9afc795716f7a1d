# Messages. Des mots simples, aimables et honnêtes. Les noms de produit ne suivent jamais « de ».

mail-run-succeeded-subject = { $product } : la mise à jour est terminée
mail-run-succeeded = La mise à jour du logiciel { $product } vers la version { $version } est terminée. Vous pouvez vous reconnecter.
mail-run-failed-subject = { $product } : la mise à jour n'a pas réussi
mail-run-failed = La mise à jour du logiciel { $product } vers la version { $version } n'a pas réussi, et la version précédente n'est pas encore rétablie. Avant de vous connecter, attendez que quelqu'un ait vérifié.
mail-run-rolled-back = La mise à jour du logiciel { $product } vers la version { $version } n'a pas réussi. La version précédente est rétablie ; vous pouvez donc vous reconnecter.
mail-class-network = Les fichiers n'ont pas pu être téléchargés : la connexion a été interrompue ou bloquée.
mail-class-integrity = Les fichiers téléchargés étaient endommagés ; ils n'ont donc pas été installés.
mail-class-environment = L'ordinateur ne l'a pas permis : le disque est peut-être plein, des droits manquent, ou un autre programme retenait des fichiers.
mail-class-users-connected = Des personnes étaient encore connectées, et la mise à jour n'a pas voulu interrompre leur travail.
mail-class-backup = Les données n'ont pas pu être sauvegardées d'abord, et sans sauvegarde aucune mise à jour n'est commencée.
mail-class-installer = L'installation elle-même s'est arrêtée sur une erreur.
mail-class-migration = Les données n'ont pas pu être mises sous la forme dont la nouvelle version a besoin.
mail-class-service-start = La nouvelle version a été installée, mais elle n'a pas démarré.
mail-class-data-loss = Il manque peut-être des données. Ne continuez pas à travailler avant que quelqu'un ait vérifié.
mail-class-internal = Le programme qui effectue les mises à jour a eu lui-même une panne.
mail-help = Vous trouverez de l'aide ici : { $link }
mail-run-why = Vous recevez ce message parce que votre adresse a été donnée lorsque la mise à jour a été prévue. Il a été envoyé automatiquement.

mail-halted-subject = { $product } { $version } : diffusion arrêtée
mail-halted = La diffusion du logiciel { $product } { $version } a été arrêtée : il n'est plus proposé à personne jusqu'à ce qu'elle soit reprise. La raison : { $reason }

mail-ending-subject = Abonnements qui prennent bientôt fin : { $count }
mail-ending = Ces abonnements prennent bientôt fin.
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
mail-ending-more = Et d'autres encore, au nombre de { $count }.
