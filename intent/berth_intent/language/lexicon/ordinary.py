"""Ordinary words that are a letter or two from a word of the lexicon, and are no typo of it: code is no node, track no rack.

Made once: the words of wordfreq's lists (Apache-2.0) that are frequent in a language (its first 10,000) and would have been
corrected. To be done anew when the lexicon gets many words.
"""

from __future__ import annotations

_ENGLISH = """
abide aboard accounts acre actor adapted addiction additions agents aide aired alice alike alive allow aloud altar
andy ants apple apples applied areas arena armed arms attack attacked attempts audition avery avid awake award awhile
backing backs balances bale balls bands bank banks banner barge barry bases basic basics basil basin bass bates batter
beach beans beard bears beast beats became beef beers begged beings belongings below bench beth bets betting billed
bills billy bing birth bitter black blaming bland bless blind blink blocked blown boast boeing bond bonds bones booker
booking books boost booth boots border boring bothers bounds bout boxer brad brain brains brands brandy brave braves
breach bread breath brent bride bright brings brink broken brother bulls bundles burn burnt buses bust butter butts
buys cable cakes caller candle candy canned cannon cared cares carey carr carrie carried carrier carriers cars cases
casey cash caste casting casts causes cave caves cease cells centred chance chances chant charge charm chase chile
choices chooses chores chose chunk clare clashes clause clean cleaning clears clips clive clone closed closes closet
closing clouds cloudy clusters coached coast coats coded codes cold collapsed colts comet commons commute competed
competitions complaint complete completes completing compromised concerns concert condemned conflicts connecting
considerably consume consumed consumer contacts contained contender content contested contingent continued continues
continuing contracts contrast cooking cooks copied coping corey corps costa costing costumes counties county court
courts cover coward crack cracks crane cream credits crest crops crosses crowned crunch crush crust crying cunt cups
curry cutting cycle danish dated dates deals dealt deaths debated debates decade decay deception decides dedicate
deeds defend defends delays dell denise depth derive deserved desire desires despise detect dicks diets differences
ding director directors directs disappear disasters discs discussing discussions dishes distances distributions
district dive divers dividend divine diving doing donna donor doors dose doses doubled doubles dover downloads downs
drain drains dramas dream driven drove drown drying dunn eager early ears east easter edge efforts eight elect
emission employed employment endured enjoys ensured ensures enter enters essentials estate esther ethan excerpt
exciting excuse executed execution exemption exist exists expecting expelled expensive expert experts explode exploded
explores extend extras fabrics facto factors factory falling falls famed fandom farmer fasting father fats faults
faulty favors fears feast feather feeding feeds feels feet fellows fence fever fights filed filing filmed filming
films finds fined fines finger fired fires fishing fist fitting flank flavor flavour flee flesh flies flight floating
flora flower flows flush focal folding folk followed formed foster fought found freak freaks freed functions fuss
gangs gates gears gender gentle ghost ghosts giants giles gives giving glove gloves goin goods grabs grain grains
grams grand grant graphic grave graves greed greet groom gross ground groups guaranteed guarantees guards guild guilt
hacked hacking haired hall halls halted hand handled handler handles hands hardy hare harry hatch haters hating hatred
hats haven hayes header heads heard hears heated heath heather heels height heights heir helps hereby highs hills hips
hitting holdings hole hollow holmes homer homes hooks hoped hopes horse horses hose howard hundreds hungary hurts
ideals ideas include included individuals inner inning insider instinct insured insurer interests intern internet
intro irony issued jeans joins joint joints jones junction kernel kettle kicking killed killing kills knocks lace lack
lacked lacks lads lakers lakes lanes larry lasers lasted lasting lasts later launches lawyers leading leads learn
learning lease leased leasing leather leeds legion lena lender lenders lending leone lest letter letting levels lever
licking lies lights liked likes liking linda lined linen liner lines lining lists litter lively liver loans locals
locker locking locks lodge logged lonely lookin loops loose lords loser losers loses losses lotus loud loved lover
lovers loving lowe loyal luck lucy lumber lungs lying mailing mails maine maker makers males mall malone manly manny
mans maple marked marker markets marry marrying martial masks master mastery match matches mates matte meal meals mean
meanings meant meat medal mental merger meta metals mighty miles mills minds mines mins missions mistaken mistakes
mister mixed modes moist monsters moore morse moses motel mother mothers mound mount mounts mouse moves multiply
muscles nails naked nancy needy neighborhoods nerve nerves nicely niche nicky niece ninety noise noodles noted notes
nothin noting numbers oasis occupies offerings olds olive opens operated operation opinions oppose options ordering
orders ounce outline outrage outsider overlooked overs pace paced packet pain pains paint paints pairs palace pants
parent parked parking parks part partner passive patches paths patterns pause pawn peace peach peer pence peoples
perform performances permit perth peters petty picked picking picks pieces pierce piers pies pill pills pint piper
plains plan plane planes planning plant plaster plastic plate plates played players playing pleaded pleas plots poker
poles polling polo pools porto poses posing positions posted posting posts pots pound pounds powder powers preach pres
presents preserve preserved president press pressured pressures prevents priced prices prick pride prime prince prints
priorities prize processed procession producer produces prof professor professors programs project projected projects
props protest protested protests provide provider providers pulls punch purposes pussy questions quit races raid raids
rails rain rains rally rand randy rank ranked ransom raped rash rated rates rave react reader readers reads rebel
rebels reception recovery redemption reduced reduces reel refer reference referenced references referred referring
refers refs refuge refused refuses regain regulating regulator regulators rejects related relay relied relief remove
removes rent repeal replies reps resemble reserve reserves reset residents residue responds restricting rests retain
retaining retains rice ricky rider rides ridge rightly rights ring rings risk risks roads robot rocks roles roof rooms
roots roses ross rotation rounds rover royce ruining ruins ruler rusty sack sacked sacks safer sage sailing sails sale
sales sally sand sands sandy santa satan saved saving saying says scanning scans scare scared scares scope scored
scots screw sealed season seasons seattle seconds seed seeded seeds seeks seem sees sell sends sense senses sensor
separates separating series serve served serves settled seven sewing shade shades shake shakes shaking shale shame
shane shape shaped shapes shaping shark sharks sharp shattered shaun shave shaved shaving shawn sheer sheet shell
shine shipping ships shirt shits shoot shops shore shores shorts shot shots shoulders shout shower sick sided sides
sight sing singers singles sisters site sites skate skill skipper slain slash slate slave slaves sliced slick slid
slightest slipped slipping slowed smack smart smell snack snake sold somethin songs sorry sorting sorts sought sound
spain spared spark specials specifics speeds spell spend spice spices spike spine spins spit splitting sport sports
squeezed staff stage staged staging stained stake stakes stalking stall stamped stan stands star stare stared staring
stark starred starring stars starter starts starving stat stated states stating stats statue steel steep stems
sticking stiff stitch stock stocks stoke stole stones stops store stores storey stove strain strains strand stranded
stranger straw stray stresses stretches strike string strip stripes stripped strips strive stuart stuck stunned sued
suing suite suits sung superb supper surge surprised surprises survived swamp sweat sweep sweets swept swipe systems
tackling tails taken taking tales talkin talks tanks tapes targets taste tasted tasting tate taxed taxes teach teams
tempo tender tends tense terribly thanking thats thee theirs theme thereby theres thigh thin thinks thirst thirty
thorough thought thread threats three threw thrive thrown throws thugs tick tiger tiles timed timer times tinder tips
tire tissue tolerated tone tones tough tower towns track tracking tracks trail trailers trails trained trainer trait
traits trans transfers traps trash tread treason treat trend trent tries troubled troubles trust turns tweet twin
twitch tying typed unfit unite unity unsure uploaded vanished vault videos vince violated violation viral vita vocal
void volumes vomit waited waiting waits wakes walking walls wards ware warmer warned washed washing wasnt watch
watches watts waves waving wears weave weaver weaving wedge weeds weigh weighs welcomed welcomes wells whale whats
wheat whipped white whore wider width willing wills willy winning wins wiped wired wires wished witch wives wording
worlds worms worried wound wounds wright yards yearly yeast yellow youre yours yourselves
"""
_SPANISH = """
abel abra abril abrio absoluta acido acoso acosta actas activas activo actor actos acusa acuso adentro adonde aerea
afecta afecto afuera agentes agradezco aguda alas aleman alias alice allen almas altar alterar altura amaba amas amos
anade anadir ancha ante antena anular aparato aplicable aporta aportan aportar aporte apple apreciar aprueba apuesto
arabe aragon archivo areas arena arenas arias aroma arranque arte artes asco asilo atenas atlas atras autos aves avila
avion ayudan ayudar ayudara ayudas ayude ayudo bajan bajar balas banca bandas bando bank banos basa basan bases beach
belen bella bellas bello bellos beneficia benito besar besos billy black blas bocas bodas bonita bonitos bonos borrar
boxeo brillante bromas buses cabida cable cacao caer caga caido cajas calcula calculos calido calientes calla calle
calles calvo camas cambia cambie cambien cambios camina camion canta cante canto cantos caos cara caras cargar cargo
carino carne caros carro carta casa casas casco casino casta causan causar causas cenar censo centra cera cerrar cerro
cesar chaco chance checa chicas chile china chino chinos circunstancias citar clave claves cobra cobran cobrar cobre
cobro coche colera colmo colo comen comer comete comio comite companera companeras companero companias compara
comparar competicion competitivo compleja completar completas completo componen componente componentes compromiso
compromisos conceptos conde condicion conflicto congo conjunta conjuntos conoce conocen conocer consta contar contiene
contienen continente continua continuo conto contraria convencer convenio convento copa copas copiar corea coro corta
cortar cortas corto cortos cosa costar costas costos crack crear credito cruda cuanto cuenta cuentan cuento cuero
cuesta cuestion cueva cuida cuidar culpar cunado cupo cuyos dados dama damas damos danar dando dano danza dare daria
darle darme darnos darse darte dean debates deber deberias debes debia debiera debio decepcion decida deciden decidi
decir dedicadas dedicados dedos defectos delicada delicado della demasiada demasiados demos dependen depender
desastres descarga descargar descrito despacio dices digamos digan dile diran directa directo director directora
discusion disminuir disponen disponer distancias distrito distritos doble dolor domingos donar dorado ducha duelo
duenos duras echan edad editar efecto elena eleva elevar elite emite emitir enero ente entender enteras entere entra
entrega entregan entregar entrego entro envidia epoca epocas escala escapa escobar escolar esencia esfera espacios
especial especiales espectro espejo esquina estadio estados estais estara estare estarian estes estoy estreno estricta
estricto euros exacta exacto excelentes exclusion excusas existe existen existente existia existian exito exitos
explicado expresa expreso extras fabrica facil falda fallar falsa falsas falso falsos faltan faltar faltas falto
fantastica fauna favores feria fieles filas filme finde fines firma firmes firmo flora flujo fondo formal forman
formar formas formo forro fragmento fruta frutas fuego fuente fuentes fueran fueras fuerzas fuesen fundo gallo
garantia garantias gato gatos gente geografia geografico gesto gestos girar goles gorra gota grabo gracia grand grano
grant grave graves grupo guarda gusta gustan gustar guste gusto habla hablan hablas hable habria haces hacian hagan
hagas hall halla hallar hara hare harian harias harina harry harta hayan hayas hermana hermano hijos hilo horno
horribles howard hubieran hubieras hueso huesos huevo ideales ideas ilegal impedir importe imposible imposibles
inclinacion incluia incluyen incluyo influye instante instinto intensa intenso interes interesa internet inventar
invento iran irme isla ivan james joder jones juego jugar junio justa justo justos kilos lados lago laguna lagunas
lana larga largos larry lata lazo leal leales leccion legado lena letal libera liberal libra libras libro libros lider
liga linda linea lista listo llamaba llamadas llamados llaman llamando llamar llamas llame llamo llano llave llaves
llega llegan llegando llegar llegas llego llenan llora llueve loca locas locos logra lucha luchas lugo lunar macho
machos madera magnifica males maneja maneras manga mango mano manos manta manto maravillas maravillosa marea mares
maria marin marte master matan matar mate maten mateo mates maximos mayo mecanica media medica medico medidas medina
medios medir mejora memorial memorias mental mente mentir mentiras mera merida mesas miembro mierda miles minas minera
miran mirar miren misa mito modos modulo molesta molestar monos monto morelos movimientos mudo mueren muero muerta
muerte muertes muestra muestras multa mundos muros museo nacen nacer nacio nadar nancy naves necesaria necesarios
negado negar nego negra negros neta norma norte nosotras notado nueva nuevas nueve obligan obligar obligo obra obras
oeste ofrecen ofrecer oido opcion opone opuesto orden ordenado orto pagado pagados pagos pague paguen palos parametros
parar parcial pare parecian pared pares paris parque part particulas parto party pasan pasar pasas pasen paseo pases
pasos pasta pasto patas patente patentes pausa pecado pecados pedi pedia pedro pegar pelos penas pensar pense penso
peor perdemos perdido perdidos perfecta perfectos perla permiso permitia permitio permitira peron perrito perro pesa
pesada pesados peso peste peter pibes piedra piedras piel pieles pierdan pierdas pierden pierdes pierdo pierna pierre
pies pila pilar pilas pinto pisos placa placas placer plan plana planes plano plata playa playas plaza plazas plena
pleno pobre podes podia podiamos podian podre podremos poeta polo porno porta porto posibles posicion positivo posta
posts potencial potencias pozos practica practicar practicas precio precios preciosa precioso premisa preparan
preparar presenta presenten presento preservar presos press previsto primera primeros procesado procesar project
protege proteger protegidos provecho pude pudieran puedan puedo puente puesta puestas puno punta puntas puntos puros
puse putas puto putos queen queja quejan quema quemar queso quiebra quien quisieran quita radios ramas ramos rancho
rata ratas rato recepcion reclamos recoger recto recurso referencia referencias refiere refieren refieres refiero
regulacion reina reino remate remota remoto rendir rene reparacion reparar reporte reservas respecta respeto responda
resta restante restantes restos restriccion reto reves revista reyes ricky riendo rinde river roban robot rocas roger
roles roma ross roto rueda ruedas ruego ruina saben sabes sabra sabras saca sacado sacan sacar sacas saco saga sala
salas saldo sales salgo sali salia salido salio salon salsa salto salva santa santo santos seas sedes segui seguia
seguira seguiran seguire segura seguro seleccion sello sellos seno senor senos sepan sera seran serbia sere seres
serias serie series serio serios servido servir severa siento siete sigas signo sigue siguen silla silva sintio siria
sismo solar solas solida solos sombra sonar sonido sonidos soria sport star stock suaves sucre sueldo suele suelos
suelto suena sueno suerte sufre suite suiza supe supera superan supero surge sutil suyos tales talla tango tanta tarda
tarta tasas temas temer tendras tendre tendremos tendria tendrian tenes tengas teniamos terribles tiende tienden
tienes tigre times tocan tocar toledo toman tomar tomas tomen tomes tono tonos tonto tontos torneo toro toros torre
trae traen traer tragico trago traia traje trajes trajo trama tramo trans tras tratos tren trio triste trono tumbas
turno tweet unicas unicos unida unidas unido unio urnas usada usado usados usted vaca vacas valer valga valia valiente
valio valle vargas varia varian variar vasos vayas velez velo vender vendra vendran venga vengan vengo venir veria
vial vicio vidal videos vieja viejo viendo viene vienen vimos vinos viral vocal vocales volumen volvera volvere
vosotros votado vuelo vuestra vuestras vuestro vuestros white zorra
"""
_GERMAN = """
aachen abgeschlossen abkommen absoluten absoluter absolutes accounts achse acht achten achtet adler aendern aera ahnen
alben alice allee alleine alpen altar alter altes ampel andern andre andy anfangen angenehme angesehen angesetzt
angezogen anhaenger anhaengern anliegen anruf ansehen anstalt anstand anstellen antwortet anzusehen apple areal arena
armer arte arten athen aufgeben aufgefallen aufgefuehrt aufgenommen aufhalten aufnahme ausgabe ausgaben ausgestellt
ausnahmen ausreichen ausreichende aussen award backen baden baer baeren balken bande bands bank banner barth basel
bass bauch baustelle beach beate bedenken befassen befasst beider beides bein beine beinen belange belasten belege
benannt bereit berner beschleunigen besetzen besondere besonderer bessere bestehend bestellen bestellt bestens bester
bestes bestimmen bestimmt bestimmter beten betriebe betten beute bewegen bewegung bezogen bienen biete bild bilden
billy binnen bitten bitter bittet black blase blatt blieb blieben blind blogs boden bohnen bond boote bord boss boten
boxen brachten branche branchen brandt brecht brennen brett brexit britische brust buch buche buchen bucht bullen bund
busch butter cash chance chile codes content coole costa cover dachte daemlich damen daraus darin darm datei datum
davor debatte denke denken derer dich dichter diebe dienen diener dient diente dienten diesel dieter differenz ding
dinger direkte diskussion distanz diversen dose drang draus dreier drueber drum duell duenn duerfe duerften durchs
durst east ehre eiern eigen eigens eigentliche eignen eimer einbruch einig einigen einiger einiges einsaetze
einsaetzen einstellen einzug eisen elbe ellen enden endet enge engen entfernte enthielt entscheiden entscheidende
entscheidenden entsetzt erde erden erich erlangen erlassen erneute ernst erstattet erste erstellen erteilen erteilt
essen euer event fabrik faden faehre faehrst faehrt faelle faellen faengt faire faktor falten fanden fassen fasst faul
faust feder fehlen fehlern feier feind feine feinen feines ferien ferne feste festen fester feuer fieber films finde
finden finds finger fingern fische fischen flach flexibel fliege fliegen fliegt flora fonds form formel formen forst
frag fragen fragt fragte frauen frech freiem freies fresse freu freude freut frisch frischer frisches frist frust
fuehle fuehlen fuehlst fuehlt fuers fuerst fuessen fuhren funktion fuss gaben gaebe gaenge gallen ganzer ganzes garten
gedichte gefoerdert gefunden gegend geile geilen geist geklaert gekommen gelang gelassen gelbe gelben gelegen gelingen
gelogen genannte genaue gender gene genre genutzt geraten gerecht gerichte gerichten geriet geschaetzt gesetze
gesetzliche gesetzt gestaltet geste gestehen gestellt gestellten gesunden getreten getrieben gewicht gewuenschte gibst
glanz gleicht gott grand groesse groessen gruende gruender gruenen guete gutem guten haare haaren hacken haeltst
haende haenden haerte hafen hagen haken halbe halben hall halle hallen hand handel handys harry hase hasen hast haste
hats hauch hauen haufen hause hauses haushalt haushalte heben heer heft heide heilen heine helden helfe helfer hellen
hesse hessen hetze heuer heute hielt hilfen hinauf hingehen hinten hinter hitze hoehe hoehen hoeher hoer hofer hole
holen holte horst hose hosen howard huebsche huerde huerden huette ideale ihre ihres inne innen insel insider
interessante intern internet irgendwelchen jacke jeans jeher jemand jene jenem jenen jens joint jones juden kacke
kalte kalten kanns kante kasse kassen kassiert kasten kate kaufe kaufen kauft kenne kennen kerle kerzen kevin kissen
klappe klare klassen klassisch klassischer kleben koffer kompletten konten kontinent konto kostet kraus kredit kreis
kritischen kuchen kuerze kuerzer kuessen kurier kurse kurve kurz kurzen kurzes lachen lacht lade laeden laenge laenger
laengst lage lager laien landes landete landung lange langen lasten latte laune lebe lebens leber lebst lebte lebten
leder lehre lehren lehrer leib leiche leichen leichten leichter leichtes leiden leider leine leisten leistungen leiten
leiter lena lerne lernen lesben lese leser licht liebe lieben liebst liebt lieder lies liess liest linda linie linke
liste listen loben locken locker loest lohnen lohnt luege luegen luegt mails mainz malte manche manchen mans marke
marken markt maske masse massen master match mathe maximale medien meier meilen meist meiste meistens meister meistern
melde melden menue messen messer metall mieten milch milde minden mine misst mitgliedern mochte modellen moege morde
morgen moses muesse muesst muessten munter musste mutter mutti nachts nacken nackt naechsten naechstes naechte naehere
naehern naehert nahen nahmen nebel nebst nette netter netto netze netzwerke neuem neuere neues neun nieder nimmt
nochmals noetige noten notwendige nuetzt nummer oeffentlich ofen offen operation opfer optimale orden ordentliche
ordner orten osten papst parken parks part partner partnern party pass passend passierte passte pause pausen peer
perfekte peters pille pilze plaene plaenen platt platzen pokal poker polo porto positionen praesent praktische preise
press prime probleme prof professor professoren programm project protest prozesses puls pussy putzen rache rand rande
rasen rasse rassen raten rates rauch rauchen rauf reale realen rechte rechten rechter rechtliche rechts reden redet
redner regen regionale reich reiche reicher reiches reichs reichte reife reifen reihe reihen reiner reines reinigen
reis reise reisen reisst reist reiten reiter relevante relevanz rene rennen rennt reparieren report reserve residenz
reste restlichen richtig richtige richtiger riechen riecht riesen ring ringe ringen roll rollen roller rollt ross
roten rueber ruehren ruhen runter saale sachen sack saetze saetzen sage sahen samen sand santa sassen satt saufen
schach schade schaeden schaetze schaetzen schaetzt schale schaue schauen schaust schaut scheibe scheiben scheinen
schere schicht schien schiene schienen schiessen schiesst schlimme schluck schneiden schneidet schoene schreien
schuppen schweden seen segen sehe sehen seht seien seines seit seiten seither selten sender shirt sicht siege siegen
siehst sieht silber sing singles sinne sinnvolle smart socken solide songs sorry sorte sorten sound spaet spannende
spannung spar spazieren speichern spezial spiel spiele spieler spielern spiels spielst spielte spielten spinnen
spitzen sport sports sprecher spritzen spuren staat staaten stadt staendig staerkste stall standorte star starb
starben stars startete statue stechen steh stehlen stehst stein steinen steiner stephen sterbe sternen steuer steve
steven stich stiess stil stille stillen stock stoff stoffe stopp stoppen store strand streben strecke strecken street
streich streit strenge strich stuecke stuecken stufe sued suessen suite systeme systems tages tanzen tasse taten
taucht taufe teams teil teilnehmen teilnehmern teils teilte tempo tenor teuer thema thesen thread thron tiefe tiefen
tiere tiger times tipps todes tolle tollen tonne tonnen tower track trage trainer trans traten treffe treffer trend
treue trier tweet twitch typen uber uebel ueben ueberfall uebergeben ueberlege ueberlegen ueberlegt uebers uebersehen
uebrig uebrigens ufer umgeben umstaende ungarn unmittelbaren unten untere unteren unterm unterschiede urteilen
verbracht verbrachte verbrauch verbraucher verein vereine vereins verfasst vergangen verkaufte verkauften verkehrs
verlage verliehen verlierer verluste vermehrt vernichten verpassen verpasst verpflichten verschwinden verschwunden
verwandt verzicht verzichtet videos vieler vieles vita volumen voran vorbehalten vorhaben vorhandenen vorteile wache
wachen wacht waerme waers wagen wahlen wahre wahren wanderer ware warme warmen warnt warst warte warten warum watch
weber wecker wehrt weiber weich weiche weichen weiden weile weine weinen weint weisen weisst weist weite weitem weiten
weitere welch welchen welle wellen welten wende wenden werben werde werder werdet werfen werft werken werner werte
werten wesen weser weshalb westen westliche weswegen wetten wetter white wichtigen wichtiges wider wiegt wiener wiese
wiesen wilde wilder wille willen willi willy wirbt wirds wirft wirkliche wirkt wirst witze woher wohin wolke wolken
womit woran word wuerd wuerdet wuesste wunder wunderbare yorker zaehlte zahlen zahlt zeichen zeigt zeile zeilen zeiten
zeitung zeitungen zelt ziehe zieht zimmer zocken zogen zumeist zusammenleben zweck zwecke zweit zweiten zweiter
"""

WORDS: frozenset[str] = frozenset(f"{_ENGLISH} {_SPANISH} {_GERMAN}".split())
