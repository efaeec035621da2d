package odoo

// lowerWords are the words in lower case that may be shown: those of the recorded
// messages of Odoo 16, 18 and 19 (testdata/veil.json), of the names of the models and
// fields the connector uses (testdata/fields.json), and of what modules usually say
// when they refuse. A name of a person, a street or a firm that is not among them is
// never shown, however it is written.
var lowerWords = wordSet(`
	a able abort aborted above access account accountable accounting action active address addresses administrator allowed allows already also
	amount an and another any apikeys approval approve approved archive archived are aren't argument arguments as ask assigned at attempting
	attribute available avoid away baked bank barcode based batch be because been before being belongs below bigint block blocked blocking bool
	boolean boss both but by called can can't cancel cancelled cannot carrier category change char check child children city client code column
	combo commands companies company completed concurrent condition configured confirmation confirmed connection constraint consu consumable
	consumables contact contacts contain context contract control cookies correctly could country create created credit crossover currency
	current currently cursor customer customers data database date datetime days deadlock debt decode decreased default delete deleted deliver
	delivered deliveries delivery denied deny deposit dest detailed detected dict different disable discount division do documents does doesn't
	domain don't done draft due duplicate during e edit email empty encode end enough ensure entry env equal error exceed exceeded exceeds exist
	exists expected expired external failed failure fatal fax field fields finances find firm first fiscal fixed fkey float following for
	forbidden force foreign format found freshly friendly from generate get gets given go got greater group groups has have here hierarchies
	hold html i id identifier ids idx if ignored import in inactive include incoming inconsistencies increase index indirectly input instance
	instead int integer integrity into invalid inventory invoice invoiced invoices invoicing ir is isn't issue it it's items iterable its
	journal key keyword language larger later leaf least left less like limit limits line lines linked list location locations lock locked login
	lot mail manager mandatory many margin match matches matching max maximum mess message method methods might min minimum missing mobile mode
	model modify module monetary move moves multi multiple must name necessary need negative new no non none nonetype nor nospaces not note
	nothing null number object of office oh on once one online only open operation or order ordered orders origin other out outgoing outstanding over
	overdue own package parent partially partner pay payment pending percent perhaps period phone picking pkey please policy pool port position
	positional positive possible prepayment price pricelist pricing private product products purchase qty quant quantities quantity quotation
	quote range rate rather reached read readonly really reason record records recordset recursive ref reference refused register registration
	relation remains remotely remove request requested required requires requiring res reserved reset resolve responsible restrictions return
	review rights risk route row rows sale sales salesperson same schedule secret security seem seems selected selection seller sent separately
	seq serialization serialize server service services set shipping should shown signature signed since singleton site size small smaller so
	some something specify specifying started state statement states status still stock stop stopped storable store str street string stumbled
	subscriptable such sudo supplier switch switching syntax system tab table take takes tax team template term terms text than that the them
	there there's they this time timeout to too top total totals track transaction transfer tuple type uid unable unauthorized unconverted under
	unexpected uniq unique unit units unknown unlock untaxed until uom up update upon url use used user users valid validate value vat vendor
	violates wait waiting want warehouse warning wasn't we we've website weight were when where which while who why will win with without won't
	write wrong xml year you you've your zero zip`)
