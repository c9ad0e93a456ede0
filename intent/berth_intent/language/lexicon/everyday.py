"""Everyday words: after "near" or "away from" they are no names of workloads, unless they are marked as such.

Made once: the most frequent words of wordfreq's lists (Apache-2.0) that the lexicon does not know, without those that services
are often called by.
"""

from __future__ import annotations

_ENGLISH = """
ability abuse academic academy accept accepted accident according accounts accurate accused achieve achieved acting
action actions active activities activity actor acts actual adam address administration admit admitted adopted adult
adults advance advanced advantage adventure advertising advice affairs affect affected afraid africa african afternoon
aged agencies agency agents ages agree agreement aircraft airport album alcohol alex alive allow allowing alternative
amazon america american americans analysis ancient andrew angeles angry animal animals anniversary announced annual
answers anybody anymore anyway apartment apparently appeal appear appearance appeared appears apple applied apply
appointed appointment approach appropriate approval areas argue armed arms army arrest arrested arrived articles
artist artists arts asia asian asked aspects assembly assessment assets assistance associated association assume
atmosphere attack attacked attacks attempts attend attended attitude attorney attractive audience australia australian
authorities authority auto automatically award awards awful baby background ball balls bank banks barely baseball
basic basically basketball bathroom battery battle beach bear beat beautiful beauty became becoming bedroom beer begin
beginning begins behavior behind belief believed bell below beyond bible bike billion bills bird birds birth bitch
black blame blind block blood blow blue boat bodies body bomb bond bone book books border born boss boston bottle
bottom bowl boyfriend boys brain brazil bread breakfast breaking breath brian bridge brief bright bringing brings
britain british broad broken brother brothers brought brown buildings built bullshit burn burning bush businesses
button buying cable cake california calm camera camp campaign campus canada canadian cancer candidate candidates
capital captain carbon career careful carefully carolina carried cars cases cash cast catch category catholic caught
causes causing celebrate cell cells cent central century chain chair chairman challenge challenges chamber champion
champions championship chance chances change changes changing channel chapter character characters charge charged
charges charles chart checked cheese chemical chest chicago chicken chief child childhood children china chinese
chocolate choices chose chosen chris christ christian christmas church circle circuit cities citizens city civil claim
claimed claims classes classic clean clearly click climate clinical clinton closed closely closing clothes clothing
club clubs coach coal coast cold collected collection college color colorado colors colour combat combination comedy
comfortable coming commander commercial commission committed committee communication communications communities
community companies company compared comparison competitive complete complex complicated concept concerned concerns
concert conduct conducted confidence confirmed confused congress connected consequences conservative consider
considered considering consistent constant constantly constitution construction consumer contemporary content contest
context continued continues continuing contrast control controlled conversation cook corner corporate corporation
correct council counter county couple courses court courts cover coverage covered covers crazy cream create creating
creation creative crew crime criminal crisis criticism crowd crown crying cultural culture current cute cutting cycle
damage damn dance dancing danger dangerous daniel dates dating daughter david davis dealing deals deaths debt debut
decade decades decision decisions declared deep defeat defence defend defense defined definition degree degrees
deliver delivered delivery democracy democratic democrats department depending depression depth deputy describe
described design designed desire destroy destroyed detail detailed details determine determined develop developed
developing development dick diet differences difficult digital dinner directed direction director dirty discovered
discuss disease display district division doctor doctors document documents doing dollar dollars domestic donald doors
doubt draft draw drawing drawn dream dreams dress drew drink drinking driven driving dropped drug drugs drunk dude
dumb during duty early earn earned earth easier easily east eastern easy eating economic economy edge edition editor
education educational edward effect effective effectively effects efforts eight elected election elections electric
electronic element elements elizabeth elsewhere emergency emotional empire employee employees employment ending enemy
energy engaged engineer engineering england english enjoyed enter entered entertainment entirely entitled entry
environmental episode equal equivalent eric escape especially establish established estate estimated europe european
evening eventually everybody everyday evidence evil examples exchange excited exciting excuse executive exercise exist
existence exists expansion expected expensive experience experiences expert experts explain explained expressed
expression extended extension external extreme extremely eyes face facebook faced faces facilities facility facing
fact factors factory facts fair faith fake fall falling falls false familiar families family famous fans fantasy farm
fashion father favorite favourite federal feed feeling feelings feels fees feet fell felt female festival field fields
fifth fighting figure figures filed film films final finally finance financial finding finds finger finish fire fired
firm fish fishing five flat flight florida flow flowers flying focus focused followed food foot football force forced
forces ford foreign forest forever forgot format formation formed forms forward fought found foundation founded four
fourth frame france francisco frank freedom french frequently friend friendly friends fruit fuck fucked fucking fuel
function functions fund funding funds funny further gain gained gallery games garden gate gave gender george german
germany getting gift girl girlfriend girls gives giving glass global goal goals gold golden golf goods gotten
government governor grace graduate grand grant granted greatest greek green grew grey ground groups grow growing grown
growth guest guilty guitar guns haha hair hall hand hands hang hanging happen happening happens harder harry head
headed heading heads healthcare healthy hear heard hearing heart heat heaven height held hell helped helping helps
henry hero herself hidden hide highway hill himself historic historical history hits hole hollywood holy homes honest
honestly hong honor horse hospital hotel household howard human humans hundreds hunt husband ideas identified identify
identity illegal imagine immediate immediately immigration impact impressive improve improved improvement inch include
included income increase increased increasing incredible indeed independence india indian individuals industrial
industry influence info information initial injured injury inner inspired institute institutions insurance
intelligence intended interests interior internal international internet introduced introduction investigation
investment invited involved involving iran ireland irish island islands israel issued italian italy item items jack
jackson jail james japan japanese jersey jesus jewish jews john johnson joined joining joint joke jones jordan joseph
journal journey judge jump junior jury justice kevin kids killed killer killing king kingdom kiss kitchen knew know
knowing knowledge known knows kong korea korean labor labour lack ladies lady laid lake lane largely late later latest
latin laugh laughing laws lawyer lead leadership leading leads league learn learned learning legislation legs length
lesson lets letter letters letting levels lewis liberal lies lift lights liked likes lines linked listed literally
literature loan loans lock london looked lord loud louis loved loving luck lying made magazine magic maintain major
majority making male manage managed management manager managers manchester manner manufacturing marine marked
marketing markets marks marriage married martin mary mass master match matches mate material materials matt mayor meal
mean meant meanwhile measure measures meat medical medicine medium meet meetings membership memories mental mention
mentioned mess method methods mexico miami michael michigan middle mike mile miles military milk miller million
millions mine mining minister ministry minor minute mirror miss missed missing mistake mixed mobile moments money moon
morning mother motion motor mount mountain mountains mouth movement moves movies moving murder museum musical muslim
nation national nations native natural naturally nature navy neck negative newspaper nick nights nine nobody noise
normal normally north northern nose noted notes notice novel nuclear numbers obama object objects obtained obvious
occur occurred ocean offered officer officers offices official officially officials often ohio olympic opened opening
operating operation operations opportunities opportunity opposite opposition options orange ordered organization
organizations organized origin original outstanding pacific pages paid pain paint painting pakistan panel pants papers
parent parents paris park parking parliament part particularly parties partner partnership parts pass passed passing
patient patients pattern paul paying peace peak people percentage perform performed performing period permanent
permission person personal personality personally personnel perspective peter phase philosophy photo photos picked
picture pictures pieces pilot pink plan plane planet planned planning plans plant plants plastic plate platform play
played players playing plays pleasure plot pocket police policies policy political politicians politics poor popular
population porn portion positions positive possibility post posted posts potential pounds powers practice practices
pregnant premier prepare prepared presence presented president presidential press prices pride prime prince princess
principal prison private prize probably produce produced product products professional professor profit programme
programs progress project projects promise promised promote properly properties property proposal proposed protection
protein proud prove proved provide providing province public published pure purposes push putting quality queen
questions quickly quit quote race racing radio rain raise raised range rape rare rates reached reaction reading
reality realize realized reasonable receive received receiving recognition recognize recognized recommend recommended
record recorded recording records recovery reduced reference referred reform refused register registered regular
regularly related relations relationship relationships relative relatively relief religion religious remained
remaining remember remove rent replace represent representative representatives represented represents republic
republican republicans reputation rescue reserve residents resistance resolution respect response responsibility
responsible restaurant result resulting results retail retirement returned returning returns revealed revenue reviews
revolution rice richard riding rights ring rise rising risk river road roads robert rock role roll rolling roman roof
rooms rose rough route royal rural rush russia russian ryan sale sales salt santa sarah saved saving saying says
scared scene scenes scheme school schools science scientific scientists scored scotland scott scottish screen season
seasons secondary seconds secretary section sector secure security seek seem seemed sees selected selection self sell
selling semi senate senator sending senior sense sent series seriously serve served sets settlement seven severe
sexual shame shape sharp shipping ships shirt shit shoes shoot shooting shop shortly shot shots show showed shower
showing shown shows sick sides sight sign signal signed significant significantly signs silver similar simon simple
sing singer singing site sites situation situations size skills skin sleep sleeping slowly smart smell smile smith
smoke smoking snow soccer social society software solar sold soldiers solo solution solutions somebody somehow
sometimes song songs sons soon sorry sought soul sound source sources south southern soviet spain spanish speak
speaker speaking species specifically speech spend spending spirit split spoke sport sports squad square stable
stadium staff stage standard standards standing stands star stars starts stated statement statements states station
stations statistics stayed steam steel step stephen steps steve stock stood stopped store stores strange strategy
street streets strength strike structure structures struggle stuck student students studied studies studio study
stupid subject success successful suddenly suffering sugar suggest suggested suggests suicide supplies supply supreme
surface surgery surprised surrounding suspect swear sydney symptoms systems taken taking talent talked talks tall tank
taste taught taxes taylor teach teacher teachers teaching teams tech technical technique techniques technology teeth
television tell telling tells temperature terrible territory texas thats theatre theme theory therapy thin thinks
third thomas thought thoughts thousand thousands threat three tied times tips tired tomorrow tone tonight tony tool
tools toronto touch tough tour tournament tower town track trading tradition traditional trained transfer transport
transportation travel treat treated treatment tree trees trend trial trick tries troops true truly trump trust truth
turkey turn turned turning turns twenty twice twitter typical typically ultimate ultimately unable understand
understanding understood unfortunately union united universal universe university unknown unlike upper upset urban
usual valley valuable value values variety vehicle vehicles vice victim victims victory videos view views village
violence virginia vision visit visited visual voice vote voted votes voting wait waiting wales walk walked walking
wall walls wanna wars washington watch watched watching water wave ways wealth weapon weapons wear wearing website
wedding weird west western wheel white whom widely wife wild william williams willing wilson window windows wine wing
winner winning wins wise witness woman women wonder wondering wood worldwide worried worse worst write writer writers
writing wrong wrote yard yards yeah yellow york young younger yours yourself youth youtube zealand
"""
_SPANISH = """
abierto abogado abril accion acciones actitud actividad actividades acto actos actualmente acuerdo adelante
administracion aeropuerto afuera agosto agua aire aires alcalde alemania algo alguien alma altura ambiente amiga amigo
amigos amor analisis animales ante antonio aparece apoyo aprender aquellos argentina argentino armas arriba arte
articulo articulos asamblea asociacion asunto asuntos ataque atencion atras aumento autoridad autoridades ayudar azul
banco bano barcelona barrio basura batalla blanca blanco boca brasil busqueda cabeza cadena caja calidad calle calles
calor cama camara cambiar cambios camino campana campo canal cancion canciones candidato capitan cara caracter
caracteristicas carcel cargo carlos carne carrera carta casa casas casi chicas chile cielo ciencia ciencias ciento
cierto cinco cine cita ciudad ciudadanos ciudades clara clases clave coche colegio colombia comentarios comenzo comer
comercial comercio comida comienza comision competencia completamente completo compra comprar comun comunicacion
comunidad conciencia condiciones confianza congreso conmigo conoce conocer conocido conocimiento conozco conseguir
consejo considera constitucion construccion contar contenido contexto contigo continuacion contrario copa corazon cosa
creacion crear crecimiento cree creen creer crees creo cruz cuales cuanto cuarto cuatro cuba cuenta cuentas cuerpo
cuestion cuidado culo cultura cumplir curso cuya dando dano darle debajo debes decia decir decisiones defensa delante
democracia departamento derecha derecho derechos desarrollo despues destino detalles detras dice dicen dices dicha
dicho diciembre diciendo dieron diez diferencia dificil diga digo dije dijeron dijo dinero dios diputados direccion
directamente directo discurso diseno distrito doble documentos dolares dolor dormir durante economia economica
economico ecuador edad edicion edificio educacion efecto efectos ejercicio ejercito elecciones electoral elementos
empezar empezo empieza empleo empresa empresas encanta encima encontrar encuentra encuentran encuentro energia enero
enfermedad entender entiendo entonces entra entrada entrar entrevista epoca escena escribio escribir escrito escuchar
escuela escuelas esfuerzo espana espanol espanola espanoles especial especialmente especie esposa estacion estados
estara estilo estoy estructura estudiantes estudiar estudio estudios europa europea evento existe existen exito
experiencia expresion exterior extrano facil facultad familia familias febrero fecha feliz fernando fiesta figura
finalmente fines fiscal flores fondo fondos formacion formas foto fotos frances francia frente fuego fuente fuentes
fuerzas fundacion futbol futuro gana ganado ganar ganas garcia generacion generales genero gente gestion gobernador
gobierno golpe grado gratis grupo grupos guerra gusta gustan gusto habitantes habla hablando habra habria hacemos
hacerlo haces haciendo hagan hago hambre hara hayan hecho hechos hermana hermano hice hicieron hija hijo hijos
historia historias historico hizo hogar hombre hombres horas humana humano humanos iglesia imposible incluso
incluyendo increible independencia industria influencia informacion ingles ingresos inicio instituciones instituto
intencion interes interesante intereses internacional internacionales investigacion isla izquierda japon jefe jose
joven jovenes juan judicial juego juegos juez jugador jugadores jugar juicio julio junio justicia justo larga leer
lengua leyes libertad libro libros lider linea lista listo literatura llamar llega llegado llegar llego loco lograr
londres lopez lucha lugares luis luna madre madrid maestro mala malo mama manana mano manos manuel marca marcha marco
maria marzo matar materia matrimonio mayo mediante medico medidas medios mejorar mejores menores mensaje mente mercado
mesa mexicano miedo miembro mierda miguel militar militares millones ministerio ministro minutos mira mitad momentos
morir motivo movimiento muerte muerto muertos muestra mujer mujeres mundial municipal musica nacion nacional
nacionales naciones nadie naturales naturaleza negocio negocios negro nina nino ninos nivel niveles noches nombres
norte nota noticia noticias novia noviembre nueva nuevas nueve objetivo objeto obra obras obtener ocasiones ocho
octubre ocurre oficial oficiales oficina ojos opcion operacion oportunidad oposicion orden organizacion origen pablo
padre padres pagar paginas pago palabra palabras papa papel parece parecen parecer pareja parque participacion
participar partido partidos pasando pasar pedro pelicula peliculas peligro pelo pena pensando pensar pense peor
perdido perdon periodo perro persona personaje personajes personas peru peso piedra piel piensa pienso pies piso
planes planta plata plaza plazo poblacion pobre pobres podia podido podra podria podrian policia politica politicas
politico politicos posibilidad posicion practica precio precios pregunta preguntas premio prensa presencia presenta
presidente presion primera primeras primero primeros principales principalmente principio principios privado
probablemente producto productos profesional profesor pronto propiedad proposito propuesta proteccion provincia
proyecto proyectos publica publicacion publicas publico publicos pudo pueblo pueblos puedan puedo puerta puntos puso
puta quien quienes raro rato razon razones realizar recibio recibir recien recordar recuerda recuerdo referencia
reforma regimen reina reino relacion relaciones representa republica respeto responsabilidad respuesta resulta
resultado resultados revista revolucion rica rico riesgo rojo ropa rusia sabe sabemos saben saber sabes sabia sacar
sala salida salio salud saludos sangre santiago santo seccion secretario sede segun segunda segundo seguro seis
seleccion semanas senor senora sentido sentir septiembre sera seran serie serio sexo siente siento siete siglo
significa sigue siguen siguiente siguientes silencio simplemente siquiera sistemas sociales sociedad soldados solucion
suelo suena sueno suerte supone supongo supuesto tales tamano tanta teatro tecnica tecnologia telefono tema temas
temporada tenido teniendo teoria tercer tercera terminar terminos territorio texto tiempos tienes tierra tierras
titulo todavia toma tomar tomo totalmente transporte tras tratamiento tribunal triste tuve tuvieron ultima ultimo
ultimos unidos universidad usted ustedes valor valores vamos veces vemos venezuela venir venta verano verdad verdadero
verde victoria vida vieja viejo viendo viene vienen villa vino violencia visita vista visto volvio voto votos vuelta
vuelve
"""
_GERMAN = """
abend abends abgeschlossen abschluss acht aehnlich aendern ahnung aktion aktiv aktuell aktuellen alexander alleine
allgemein allgemeine alter andreas anfang angaben angebot angeboten angriff angst anlage anschluss anspruch anteil
antwort antworten arme armee arsch arten artikel arzt aufgenommen auftrag auge augen ausbildung ausgabe ausland
aussehen aussen ausstellung auswahl autos baden bahn bauen bayern bedeutet befinden befindet begann beginn beginnen
beginnt begriff behandelt behandlung beispielsweise beitraege beitrag bekam bekannt bekannten bereich bereit berichtet
berlin berliner besondere bessere bestaetigt bestimmt besuch betraegt bett bevor bewegung bewusst bezahlen bezahlt
bezeichnet beziehung bezug bier bild bilden bilder bildung blick blieb blut boden boese brachte bremen bruder buch
buecher buerger buergermeister bundesliga chef dachte dadurch damen danach daraus darin darunter demokratie denke
denken denkt derzeit deutlich deutsch deutsche deutschen deutscher deutschland deutschlands dezember dich diesmal ding
dinge diskussion dorf dresden dritte dritten druck duerfte duesseldorf dumm durchaus ebenfalls ehemaligen ehrlich
eindruck einfluss einigen einiges einsatz eltern ende endlich energie englisch entdeckt entgegen enthalten entscheiden
entscheidung entschieden entsprechend entstanden entstehen entwickelt entwicklung erde erfahren erfahrung erfahrungen
erfolg erfolgreich erfolgt ergebnis ergebnisse erhaelt erhalten erinnern erinnert erkennen erklaeren erklaert
erklaerung ernst erreichen erreicht erscheint erste ersten erster erstes erstmal erstmals erwaehnt erzaehlen erzaehlt
essen euch eure euro europaeische europaeischen extrem faehrt faelle faellen fahren fahrt falsch familie familien fand
fanden farbe februar fehlen fehlt feiern fenster fernsehen fertig fest feuer filme finale finde finden findest findet
firma fluechtlinge flughafen folge folgen folgt forschung fort fragen fragt frankfurt frankreich franz frau frauen
freiheit freude freund freunde freunden freundin freut frieden friedrich froh frueh fuehlen fuehlt fuenf fuers
funktion fuss fussball gaeste garten gedacht gedanken gefaellt gefahr gefahren gefallen gefragt gefuehl gefuehrt
gefunden gegangen gegeben gegensatz gegner geil gekommen geld gelernt gelesen gelten gemacht gemeinde genauso genommen
genutzt geplant gericht gesagt geschaeft geschafft geschehen geschichte geschlossen geschrieben gesehen gesellschaft
gesetzt gesicht gespielt gespraech gesprochen gestellt gesucht getan getroffen gewaehlt gewalt gewinnen gewissen
gewonnen geworden gezeigt gibt gilt glaub glaube glauben glaubt gleichzeitig gluecklich gmbh gott grad grenze grenzen
groesse groessere groesseren gruen gruende gruene gruenen grund grundlage gruppe gruppen guten habt haelfte haende
haeufig halle hamburg handeln handelt hannover hans hast hauptsaechlich haus hause haut heimat herbst herr herren
herrn herz herzen heute heutigen hielt hilfe hilft himmel hinten hinter hintergrund hoehe hoeher hoeren hoert holen
hund idee ideen ihre ihres immerhin indem industrie informationen inhalt innen insbesondere insel interesse
interessiert internationale internationalen inzwischen irgendwann irgendwas irgendwie italien jaehrige jahre jahres
jahrhundert jahrhunderts januar jedenfalls jemand jemanden juden jugend juli jung junge jungen jungs juni kaempfen
kaiser kamera kampf kannst karl karriere kauf kaufen kenne kennen kennt kilometer kinder kindern kirche klingt knapp
koeln koenig koenne koennen koennt koennte koennten koerper kollegen konnte konnten kontrolle konzept kopf kostenlos
kostet kraft krank krankenhaus kreis krieg kritik kuenstler kultur kunst kurz lachen laenger laengst lage landes
landkreis lang lange langen lebens lehrer leid leider leipzig leisten leistungen leiter lernen letzter leute leuten
licht liebe lieben lied liess liga linie linke linken liste literatur loesung lust lustig maedchen maenner maerz
manche manchmal mann markt massnahmen medien meer mehrheit meist meister mensch menschen merkel meter milliarden
millionen minuten mitarbeiter mitglied mitte mittel mittlerweile moeglicherweise moeglichkeiten monate morgen mueller
muenchen mund musik musste mussten mutter nachricht naechste naechsten nahm naja natur nein nennen nennt neues neun
nimmt nummer oben oeffentlich oeffentliche oeffentlichen oeffentlichkeit oesterreich offen offenbar offensichtlich
oktober opfer organisation osten partei parteien passieren patienten persoenlich personen ploetzlich polen politik
politiker politische politischen polizei polizisten positiv praesident praxis preise probleme produkte programm
prozent punkt punkte qualitaet quelle rahmen raum rechte rechten rechts reden regelmaessig regeln regierung reich
reihe reise relativ rennen richter richtig richtige richtigen richtung roten ruecken ruhe runde russland sachen
sachsen sage sagen sagt sagte saison satz schade schaffen schafft schau schauen scheint scheiss scheisse schlafen
schlecht schliesslich schloss schluss schoene schoenen schreiben schreibt schrieb schritt schueler schuld schule
schulen schutz schwarz schwarze schwarzen schweiz schweizer schwester schwierig sechs seele sehe sehen seien seines
seit seiten sekunden selten sicherheit sicht sieben sieg sieht sinn sinne sogar sohn solche solchen soldaten sonne
sowas sowohl soziale sozialen spaet spaeter spass spiegel spiel spiele spieler sprach sprache sprechen spricht staat
staaten stadt staedte staendig staerker stets stimme stimmen stimmt stolz strasse strassen strecke strom studie
studien studium stuttgart szene tage tages tatsaechlich technik teil teilweise telefon theater thema themen tief tiere
tisch titel tochter tolle traegt tragen trainer traum treten trifft trinken trotz tuer tuerkei uebernehmen uebrigens
umgebung unfall unglaublich universitaet unten unternehmen unterwegs urteil vater veraendert veranstaltungen
verantwortung verbunden verdienen verdient verein verfahren vergessen vergleich verhalten verkaufen verkauft verlag
verletzt verloren vermutlich verstanden verstehe verstehen versteht vertrauen vertreten vertreter verwaltung vier volk
vorbei vorne vorstellen waffen wagen wahl wahr wahrheit wahrscheinlich wald wann warten warum wasser weise weiss
weisse weissen weisst weitere weiteren weiteres weiterhin welchen weltweit werbung werde werk werke werte wesentlich
westen wetter wichtigsten wiederum wien wiener wieso wirken wirkt wirkung wirst wirtschaft wissen wochenende wohl
wolfgang wort worte wusste zahl zahlen zehn zeichen zeigen zeigt zeigte zeiten zeitpunkt zeitung zentrum zieht zimmer
zuerst zufrieden zugleich zuhause zuletzt zumindest zunaechst zurueck zusammenarbeit zusammenhang zustand zweite
zweiten
"""
_OF_THE_TRADE = "latency performance reliability availability compliance throughput uptime downtime noise safety cost workloads data"

WORDS: frozenset[str] = frozenset(f"{_ENGLISH} {_SPANISH} {_GERMAN} {_OF_THE_TRADE}".split())
