# Les noms de produit ne suivent jamais « de », pour ne pas avoir à choisir entre « de » et « d' ».
# Ce que dit une boîte de dialogue au sujet des mises à jour. Des mots simples, aimables et honnêtes ; pas de jargon.

update-available = { $product } { $version } est prêt à être installé.
update-available-mandatory = Pour continuer, veuillez installer { $product } { $version } maintenant. Votre version actuelle ne doit plus être utilisée.
update-available-server = Une mise à jour est disponible pour votre serveur { $product } : la version { $version }. Prévenez la personne qui gère le serveur, ou choisissez quand l'installer.
update-available-server-mandatory = Votre serveur { $product } a besoin rapidement de la version { $version } : sa version actuelle ne doit plus être utilisée. Prévenez la personne qui gère le serveur, ou choisissez quand l'installer.
client-must-match-server = Votre serveur utilise { $product } { $server-version }. Pour fonctionner avec lui, ce programme a besoin de la version { $version }.

up-to-date = { $product } est à jour.
server-version-required = Les mises à jour de ce programme dépendent de votre serveur { $product }. Connectez-vous au serveur, puis recherchez à nouveau les mises à jour.
rollout-pending = Il n'y a rien à installer pour le moment. Une nouvelle version du logiciel { $product } est déployée progressivement et vous sera bientôt proposée.
rollout-paused = Il n'y a rien à installer pour le moment. Une nouvelle version du logiciel { $product } est en attente et vous sera proposée dès qu'elle sera prête.
rollout-halted = Il n'y a rien à installer pour le moment. Le déploiement d'une nouvelle version du logiciel { $product } a été interrompu en raison d'un problème. La prochaine version vous sera proposée dès qu'elle sera prête.
no-path = Une nouvelle version du logiciel { $product } est disponible, mais elle ne peut pas être installée sur votre version actuelle. Veuillez contacter l'assistance.
pinned = Une nouvelle version du logiciel { $product } est disponible, mais votre abonnement est configuré pour conserver une version antérieure. Pour modifier ce réglage, veuillez contacter l'assistance.
current-yanked = Votre version du logiciel { $product } a été retirée. La version qui la remplace n'est pas encore prête ; elle vous sera proposée dès que possible.

not-entitled-wrong-product = La clé de licence saisie est celle d'un autre programme. Veuillez saisir votre clé de licence pour { $product }.
not-entitled-license-required = { $product } { $newer } est disponible avec un abonnement aux mises à jour. Pour l'installer, veuillez saisir votre clé de licence.
not-entitled-expired = Votre abonnement aux mises à jour a expiré le { $date }. Renouvelez-le pour installer { $product } { $newer }.
not-entitled-suspended = Votre abonnement aux mises à jour est suspendu ; { $product } { $newer } ne peut donc pas être installé pour le moment. Veuillez contacter l'assistance.
not-entitled-cancelled = Votre abonnement aux mises à jour a été résilié ; il ne comprend donc pas { $product } { $newer }. Avec un nouvel abonnement, vous pourrez l'installer.
not-entitled-pending = Votre abonnement aux mises à jour commence le { $date }. À partir de ce jour, vous pourrez installer { $product } { $newer }.

deferred-outside-window = Une mise à jour du logiciel { $product } est prête. Elle sera installée lors de la prochaine période de maintenance, à partir du { $time }.
deferred-group-busy = Une mise à jour du logiciel { $product } est prête. D'autres serveurs sont en cours de mise à jour ; celui-ci suivra à son tour.
managed = Les mises à jour du logiciel { $product } sont automatiques. Vous n'avez rien à faire.
incompatible-no-client = Ce programme n'est pas compatible avec votre serveur { $product } (version { $server-version }), et aucune version compatible n'est encore disponible pour cet ordinateur. Veuillez contacter la personne qui gère le serveur.
incompatible-halted = Ce programme n'est pas compatible avec votre serveur { $product } (version { $server-version }). Le déploiement de la version compatible a été interrompu en raison d'un problème. Veuillez contacter la personne qui gère le serveur.
blocked-stopped = Les mises à jour du logiciel { $product } sont suspendues pour le moment. { $reason }

# Que faire quand une mise à jour échoue pour une raison connue.
help-antivirus = Un antivirus a bloqué la mise à jour du logiciel { $product }. Autorisez { $product } et son programme de mise à jour dans l'antivirus, ou désactivez l'antivirus un instant, puis relancez la mise à jour.
help-firewall = La mise à jour du logiciel { $product } n'a pas pu joindre le serveur. Vérifiez votre connexion Internet et assurez-vous qu'aucun pare-feu ou proxy ne bloque { $product }, puis relancez la mise à jour.
help-disk = L'espace disque est insuffisant pour la mise à jour du logiciel { $product }. Libérez de l'espace, puis relancez la mise à jour.
help-rights = La mise à jour du logiciel { $product } n'est pas autorisée à modifier ses fichiers. Relancez-la en tant qu'administrateur, ou adressez-vous à la personne qui gère cet ordinateur.
