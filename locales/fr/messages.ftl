# Les noms de produit ne suivent jamais « de », pour ne pas avoir à choisir entre « de » et « d' ».
# Ce que dit une boîte de dialogue au sujet des mises à jour. Des mots simples, aimables et honnêtes ; pas de jargon.

update-available = { $product } { $version } est prêt à être installé.
update-available-mandatory = Pour continuer, veuillez installer maintenant { $product } { $version }. La version que vous avez ne doit plus être utilisée.
update-available-server = Une mise à jour est disponible pour votre serveur { $product } : la version { $version }. Prévenez la personne qui s'occupe du serveur, ou choisissez le moment de l'installer.
update-available-server-mandatory = Votre serveur { $product } a besoin rapidement de la version { $version } : celle qu'il a ne doit plus être utilisée. Prévenez la personne qui s'occupe du serveur, ou choisissez le moment de l'installer.
client-must-match-server = Votre serveur fonctionne avec { $product } { $server-version }. Pour travailler avec lui, ce programme a besoin de la version { $version }.

up-to-date = { $product } est à jour.
server-version-required = Les mises à jour de ce programme dépendent de votre serveur { $product }. Connectez-vous au serveur, puis recommencez la recherche.
rollout-pending = Il n'y a rien à installer pour le moment. Une nouvelle version du logiciel { $product } est publiée petit à petit et vous sera bientôt proposée.
rollout-paused = Il n'y a rien à installer pour le moment. Une nouvelle version du logiciel { $product } est en attente et vous sera proposée dès qu'elle sera prête.
rollout-halted = Il n'y a rien à installer pour le moment. Une nouvelle version du logiciel { $product } a été retenue à cause d'un problème. La prochaine version prête vous sera proposée.
no-path = Il existe une nouvelle version du logiciel { $product }, mais elle ne peut pas être installée par-dessus celle que vous avez. Veuillez contacter l'assistance, qui vous aidera.
pinned = Il existe une nouvelle version du logiciel { $product }, mais votre abonnement est réglé pour rester à une version antérieure. Pour changer cela, veuillez contacter l'assistance.
current-yanked = La version du logiciel { $product } que vous avez a été retirée. Celle qui la remplace n'est pas encore prête ; elle vous sera proposée dès que possible.

not-entitled-wrong-product = La clé de licence saisie appartient à un autre programme. Veuillez saisir votre clé de licence pour { $product }.
not-entitled-license-required = { $product } { $newer } est disponible avec un abonnement aux mises à jour. Pour l'installer, veuillez saisir votre clé de licence.
not-entitled-expired = Votre abonnement aux mises à jour a pris fin le { $date }. Renouvelez-le pour installer { $product } { $newer }.
not-entitled-suspended = Votre abonnement aux mises à jour est suspendu ; { $product } { $newer } ne peut donc pas être installé pour le moment. Veuillez contacter l'assistance.
not-entitled-cancelled = Votre abonnement aux mises à jour a été résilié ; il ne comprend donc pas { $product } { $newer }. Avec un nouvel abonnement, vous pourrez l'installer.
not-entitled-pending = Votre abonnement aux mises à jour commence le { $date }. À partir de ce jour, vous pourrez installer { $product } { $newer }.

deferred-outside-window = Une mise à jour du logiciel { $product } est prête. Elle sera installée pendant la prochaine période réservée à l'entretien, à partir du { $time }.
deferred-group-busy = Une mise à jour du logiciel { $product } est prête. D'autres serveurs sont en cours de mise à jour ; celui-ci suivra à son tour.
managed = { $product } est tenu à jour pour vous. Vous n'avez rien à faire.
incompatible-no-client = Ce programme ne fonctionne pas avec votre serveur { $product } (version { $server-version }), et il n'y a pas encore de version adaptée pour cet ordinateur. Veuillez contacter la personne qui s'occupe du serveur.
incompatible-halted = Ce programme ne fonctionne pas avec votre serveur { $product } (version { $server-version }). La version adaptée a été retenue à cause d'un problème. Veuillez contacter la personne qui s'occupe du serveur.
blocked-stopped = Les mises à jour du logiciel { $product } sont arrêtées pour le moment. { $reason }

# Que faire quand une mise à jour échoue pour une raison connue.
help-antivirus = Un antivirus a empêché la mise à jour de { $product } d'utiliser ses fichiers. Autorisez { $product } et sa mise à jour dans l'antivirus, ou désactivez-le un instant, puis relancez la mise à jour.
help-firewall = La mise à jour de { $product } n'a pas pu joindre le serveur. Vérifiez votre connexion à Internet, et qu'aucun pare-feu ou proxy ne bloque { $product }, puis relancez la mise à jour.
help-disk = Il n'y a pas assez de place libre sur le disque pour la mise à jour de { $product }. Libérez un peu d'espace, puis relancez la mise à jour.
help-rights = La mise à jour de { $product } n'a pas le droit de modifier ses fichiers. Relancez-la en tant qu'administrateur, ou adressez-vous à la personne qui s'occupe de cet ordinateur.
